package render_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

type paper struct {
	bun.BaseModel `bun:"table:papers"`
	ID            int64 `bun:",pk"`
	Doc           map[string]int
	Plain         map[string]int `bun:"type:json"`
}

func TestJSONIsComparedAsJSON(t *testing.T) {
	const tree = "SELECT fullkey, CASE type WHEN 'real' THEN 'integer' ELSE type END, " +
		"CASE WHEN type IN ('integer', 'real') AND (atom >= 9007199254740992 OR atom <= -9007199254740992) THEN json -> fullkey ELSE atom END FROM json_tree("
	const equal = "CASE WHEN papers.doc = ? THEN 1 WHEN json_valid(papers.doc) AND json_valid(?) THEN NOT EXISTS (" + tree + "papers.doc) EXCEPT " + tree +
		"?)) AND NOT EXISTS (" + tree + "?) EXCEPT " + tree + "papers.doc)) ELSE 0 END"
	doc := map[string]int{"b": 1, "a": 2}
	for _, c := range []struct {
		cond query.Cond
		want map[string]string
	}{
		{query.F("doc").Eq(doc), map[string]string{
			dialect.Postgres: "CAST(papers.doc AS jsonb) = CAST($1 AS jsonb)", dialect.MySQL: "papers.doc = CAST(? AS JSON)",
			dialect.MariaDB: "(papers.doc IS NOT NULL AND JSON_EQUALS(papers.doc, ?))", dialect.SQLite: equal}},
		{query.F("doc").Ne(doc), map[string]string{
			dialect.Postgres: "(CAST(papers.doc AS jsonb) <> CAST($1 AS jsonb)) IS NOT FALSE", dialect.MySQL: "(papers.doc <> CAST(? AS JSON)) IS NOT FALSE",
			dialect.MariaDB: "(NOT (papers.doc IS NOT NULL AND JSON_EQUALS(papers.doc, ?))) IS NOT FALSE", dialect.SQLite: "(NOT " + equal + ") IS NOT FALSE"}},
		{query.F("doc").In(doc, nil), map[string]string{
			dialect.Postgres: "(CAST(papers.doc AS jsonb) = CAST($1 AS jsonb) OR papers.doc IS NULL)",
			dialect.MySQL:    "(papers.doc = CAST(? AS JSON) OR papers.doc IS NULL)",
			dialect.MariaDB:  "((papers.doc IS NOT NULL AND JSON_EQUALS(papers.doc, ?)) OR papers.doc IS NULL)", dialect.SQLite: "(" + equal + " OR papers.doc IS NULL)"}},
		{query.F("doc").Eq(query.F("plain")), map[string]string{
			dialect.Postgres: "CAST(papers.doc AS jsonb) = CAST(papers.plain AS jsonb)", dialect.MySQL: "papers.doc = CAST(papers.plain AS JSON)",
			dialect.MariaDB: "(papers.doc IS NOT NULL AND papers.plain IS NOT NULL AND JSON_EQUALS(papers.doc, papers.plain))",
			dialect.SQLite:  strings.ReplaceAll(equal, "?", "papers.plain")}},
	} {
		for engine, want := range c.want {
			c.want[engine] = "SELECT COUNT(*) FROM papers WHERE " + want
		}
		onEach(t, c.want, func(t *testing.T, s dialect.Server) (render.Text, error) {
			st, err := modelOf[paper](t, s).Count(&ast.Select{Where: []ast.Node{c.cond.Condition()}})
			for _, arg := range st.Args {
				require.Equal(t, `{"a":2,"b":1}`, arg)
			}
			return st, err
		})
	}
}
