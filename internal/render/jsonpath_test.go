package render_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// Keys are bound: as they are on PostgreSQL, elsewhere within a path.
func TestS58_PathsAreSpelled(t *testing.T) {
	at := query.F("doc").JSON(`a"b`, 0, "c")
	bound := map[string][]any{dialect.Postgres: {`a"b`, "c"}, dialect.SQLite: {`$."a\"b"[0]."c"`}, dialect.MySQL: {`$."a\"b"`, `$."a\"b"[0]."c"`}}
	for _, c := range []struct {
		expr query.Expr
		want map[string]string
	}{
		{at.Expr, map[string]string{
			dialect.Postgres: "((CASE WHEN jsonb_typeof((CAST(papers.doc AS jsonb) -> CAST($1 AS text))) = 'array' THEN (CAST(papers.doc AS jsonb) -> CAST($1 AS text)) -> 0 END) -> CAST($2 AS text))",
			dialect.MySQL:    "(CASE WHEN JSON_TYPE(JSON_EXTRACT(papers.doc, ?)) = 'ARRAY' THEN JSON_EXTRACT(papers.doc, ?) END)",
			dialect.SQLite:   "(papers.doc -> ?)"}},
		{query.F("doc").JSON("k").Text(), map[string]string{
			dialect.Postgres: "(CASE WHEN jsonb_typeof(CAST((CAST(papers.doc AS jsonb) -> CAST($1 AS text)) AS jsonb)) = 'string' " +
				"THEN CAST((CAST(papers.doc AS jsonb) -> CAST($1 AS text)) AS jsonb) #>> '{}' END)",
			dialect.MySQL: "(CASE WHEN JSON_TYPE(JSON_EXTRACT(papers.doc, ?)) NOT IN ('OBJECT', 'ARRAY', 'BOOLEAN', 'NULL', 'INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') " +
				"THEN JSON_UNQUOTE(JSON_EXTRACT(papers.doc, ?)) END) COLLATE utf8mb4_0900_bin",
			dialect.SQLite: "(CASE WHEN json_type((papers.doc -> ?)) = 'text' THEN json_extract((papers.doc -> ?), '$') END)"}},
	} {
		c.want[dialect.MariaDB] = strings.ReplaceAll(c.want[dialect.MySQL], "0900_bin", "nopad_bin")
		for engine, want := range c.want {
			c.want[engine] = "SELECT COUNT(*) FROM papers WHERE " + want + " IS NULL"
		}
		onEach(t, c.want, func(t *testing.T, s dialect.Server) (render.Text, error) {
			st, err := modelOf[paper](t, s).Count(&ast.Select{Where: []ast.Node{c.expr.IsNull().Condition()}})
			if want, ok := bound[s.Engine]; ok && len(st.Args) == len(want) && st.Args[0] != "k" && st.Args[0] != `$."k"` {
				require.Equal(t, want, st.Args)
			}
			return st, err
		})
	}
}

func TestS58_ChangesAreSpelled(t *testing.T) {
	onEach(t, map[string]string{
		dialect.Postgres: "UPDATE papers SET doc = (CASE WHEN (CAST(papers.doc AS jsonb) IS NULL OR jsonb_typeof(CAST(papers.doc AS jsonb)) = 'object') " +
			"THEN jsonb_set((COALESCE(CAST(papers.doc AS jsonb), '{}') #- CASE WHEN (CAST(papers.doc AS jsonb) -> CAST($1 AS text)) IS NOT NULL THEN ARRAY[CAST($2 AS text)] " +
			"ELSE CAST('{}' AS text[]) END), ARRAY[CAST($4 AS text)], CAST($3 AS jsonb)) " +
			"ELSE CAST('holdfast: the path leads through ' || COALESCE(jsonb_typeof(CAST(papers.doc AS jsonb)), 'null') AS jsonb) END)",
		dialect.MySQL: "UPDATE papers SET doc = JSON_SET(JSON_REMOVE(COALESCE(papers.doc, JSON_OBJECT()), ?), CASE WHEN (papers.doc IS NULL OR JSON_TYPE(papers.doc) = 'OBJECT') THEN ? " +
			"ELSE CAST(COALESCE(JSON_LENGTH(papers.doc), 0) * 0 + 18446744073709551615 + 1 AS CHAR) END, CAST(? AS JSON))",
		dialect.MariaDB: "UPDATE papers SET doc = JSON_SET(JSON_REMOVE(COALESCE(papers.doc, JSON_OBJECT()), ?), CASE WHEN (papers.doc IS NULL OR JSON_TYPE(papers.doc) = 'OBJECT') THEN ? " +
			"ELSE CAST(COALESCE(JSON_LENGTH(papers.doc), 0) * 0 + 18446744073709551615 + 1 AS CHAR) END, JSON_COMPACT(?))",
		dialect.SQLite: "UPDATE papers SET doc = (CASE WHEN (papers.doc IS NULL OR json_type(papers.doc) = 'object') THEN json_set(json_remove(COALESCE(papers.doc, '{}'), ?), ?, json(?)) " +
			"ELSE json_extract('0', 'holdfast: a path of JSON leads through what is no object') END)",
	}, func(t *testing.T, s dialect.Server) (render.Text, error) {
		m := modelOf[paper](t, s)
		var list []render.Assignment
		for _, set := range []query.Assignment{query.F("doc").JSON("a").Set("x"), query.F("doc").JSON("b").Remove()} {
			a, err := m.Assignment(set.Node())
			require.NoError(t, err)
			list = append(list, a)
		}
		return (&render.Update{Model: m, Set: list}).Render()
	})
}

// What a server is too old for is refused before anything is sent.
func TestS58_VersionsWithoutPaths(t *testing.T) {
	for _, s := range []dialect.Server{
		{Engine: dialect.MySQL, Product: "MySQL", Version: dialect.Version{Major: 8, Minor: 0, Patch: 16}}, {Engine: dialect.SQLite, Product: "SQLite", Version: dialect.Version{Major: 3, Minor: 44}},
		{Engine: dialect.Postgres, Product: "CockroachDB", Version: dialect.Version{Major: 24}},
	} {
		_, err := modelOf[paper](t, s).Count(&ast.Select{Where: []ast.Node{query.F("doc").JSON("k").Exists().Condition()}})
		require.ErrorIs(t, err, dialect.ErrUnsupported, s.Product)
		_, err = modelOf[paper](t, s).Count(&ast.Select{Where: []ast.Node{query.F("doc").JSON().Text().IsNull().Condition()}})
		require.ErrorIs(t, err, dialect.ErrUnsupported, s.Product)
	}
}
