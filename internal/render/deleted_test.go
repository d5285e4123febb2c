package render_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

type Desk struct {
	bun.BaseModel `bun:"table:desk"`
	ID            int64     `bun:",pk"`
	GoneAt        time.Time `bun:",soft_delete,nullzero"`
	Papers        []*Paper  `bun:"rel:has-many,join:id=desk_id"`
	Marks         []*Mark   `bun:"m2m:desk_mark,join:Desk=Mark"`
}

type Paper struct {
	bun.BaseModel `bun:"table:paper"`
	ID            int64 `bun:",pk"`
	DeskID        int64
	GoneAt        *time.Time `bun:",soft_delete"`
	Desk          *Desk      `bun:"rel:belongs-to,join:desk_id=id"`
}

type Mark struct {
	bun.BaseModel `bun:"table:mark"`
	ID            int64        `bun:",pk"`
	GoneAt        bun.NullTime `bun:",soft_delete"`
}

type DeskMark struct {
	bun.BaseModel `bun:"table:desk_mark"`
	DeskID        int64        `bun:",pk"`
	MarkID        int64        `bun:",pk"`
	GoneAt        bun.NullTime `bun:",soft_delete"`
	Desk          *Desk        `bun:"rel:belongs-to,join:desk_id=id"`
	Mark          *Mark        `bun:"rel:belongs-to,join:mark_id=id"`
}

// with reads deleted rows of these relations too.
func (q rowsOf) withDeleted(d ast.Deleted, paths ...string) rowsOf {
	q.Deleted, q.DeletedOf = d, paths
	return q
}

func TestS60_DeletedRowsInStatements(t *testing.T) {
	F := query.F
	papers, desks := objects[Paper], objects[Desk]
	for _, c := range []struct {
		name string
		q    query.Query
		pg   string
	}{
		{"left out", query.Select(papers(F("id").Gt(1)), F("id")), "SELECT paper.id FROM paper WHERE paper.id > $1 AND paper.gone_at IS NULL"},
		{"either condition", query.Select(papers(query.Or(F("id").Eq(1), F("id").Eq(2))), F("id")),
			"SELECT paper.id FROM paper WHERE (paper.id = $1 OR paper.id = $2) AND paper.gone_at IS NULL"},
		{"with them", query.Select(papers().withDeleted(ast.WithDeleted), F("id")), "SELECT paper.id FROM paper"},
		{"only them", query.Select(papers().withDeleted(ast.OnlyDeleted), F("id")), "SELECT paper.id FROM paper WHERE paper.gone_at IS NOT NULL"},
		{"put out under its name", query.Select(papers(), query.Coalesce(F("gone_at"), query.Now()).As("gone_at")),
			"SELECT COALESCE(paper.gone_at, statement_timestamp()) AS gone_at FROM paper WHERE paper.gone_at IS NULL"},
		{"a related row", query.Select(papers(F("desk.id").Eq(3)), F("id")),
			"SELECT paper.id FROM paper LEFT JOIN desk AS desk ON desk.id = paper.desk_id AND desk.gone_at IS NULL WHERE desk.id = $1 AND paper.gone_at IS NULL"},
		{"a related row that is missing", query.Select(papers(F("desk.id").Ne(3)), F("id")),
			"SELECT paper.id FROM paper LEFT JOIN desk AS desk ON desk.id = paper.desk_id AND desk.gone_at IS NULL WHERE (desk.id <> $1) IS NOT FALSE AND paper.gone_at IS NULL"},
		{"a related row, deleted or not", query.Select(papers(F("desk.id").Eq(3)).withDeleted(ast.LeaveDeleted, "desk"), F("id")),
			"SELECT paper.id FROM paper INNER JOIN desk AS desk ON desk.id = paper.desk_id WHERE desk.id = $1 AND paper.gone_at IS NULL"},
		{"many rows", query.Select(desks(query.None("papers")), F("id")),
			"SELECT desk.id FROM desk WHERE NOT EXISTS (SELECT 1 FROM paper WHERE paper.desk_id = desk.id AND paper.gone_at IS NULL) AND desk.gone_at IS NULL"},
		{"many rows, deleted or not", query.Select(desks(query.None("papers")).withDeleted(ast.WithDeleted, "papers"), F("id")),
			"SELECT desk.id FROM desk WHERE NOT EXISTS (SELECT 1 FROM paper WHERE paper.desk_id = desk.id)"},
		{"over a table between", query.Select(desks().withDeleted(ast.WithDeleted), query.CountOf("marks").As("n")),
			"SELECT (SELECT COUNT(*) FROM mark WHERE mark.id IN (SELECT desk_mark.mark_id FROM desk_mark WHERE desk_mark.desk_id = desk.id AND desk_mark.gone_at IS NULL) " +
				"AND mark.gone_at IS NULL) AS n FROM desk"},
		{"over a table between, deleted or not", query.Select(desks().withDeleted(ast.WithDeleted, "marks"), query.CountOf("marks").As("n")),
			"SELECT (SELECT COUNT(*) FROM mark WHERE mark.id IN (SELECT desk_mark.mark_id FROM desk_mark WHERE desk_mark.desk_id = desk.id AND desk_mark.gone_at IS NULL)) " +
				"AS n FROM desk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, s := range engines {
				models := modelsOf(t, s)
				_, err := models.Of(reflect.TypeFor[DeskMark]())
				require.NoError(t, err)
				text, _, err := models.Select(c.q.Tree())
				require.NoError(t, err, s.Engine)
				if s.Engine == dialect.Postgres {
					require.Equal(t, c.pg, unquoted(s.Engine, text.SQL))
				}
			}
		})
	}
}

// A server that had to wait for a row looks at its new version again: that it is not
// deleted is asked of the row itself, beside what needs another table.
func TestS60_DeletedRowsInWhatChanges(t *testing.T) {
	conds := []query.Cond{query.F("id").Gt(1), query.F("desk.id").Eq(3)}
	of := func(t *testing.T, s dialect.Server) *render.Model {
		models := modelsOf(t, s)
		_, err := models.Of(reflect.TypeFor[DeskMark]())
		require.NoError(t, err)
		m, err := models.Of(reflect.TypeFor[Paper]())
		require.NoError(t, err)
		return m
	}
	where := "paper WHERE paper.id > $1 AND paper.gone_at IS NULL AND EXISTS (SELECT 1 FROM (SELECT 1) AS matching " +
		"LEFT JOIN desk AS desk ON desk.id = paper.desk_id AND desk.gone_at IS NULL WHERE desk.id = $2)"
	uncorrelated := "paper WHERE paper.id > ? AND paper.gone_at IS NULL AND (paper.id) IN (SELECT id FROM (SELECT paper.id FROM paper " +
		"LEFT JOIN desk AS desk ON desk.id = paper.desk_id AND desk.gone_at IS NULL WHERE paper.id > ? AND desk.id = ? AND paper.gone_at IS NULL) AS matching)"
	onEach(t, map[string]string{dialect.Postgres: "DELETE FROM " + where, dialect.MariaDB: "DELETE FROM " + uncorrelated},
		func(t *testing.T, s dialect.Server) (render.Text, error) {
			return (&render.Delete{Model: of(t, s), Where: nodes(conds)}).Render()
		})
	onEach(t, map[string]string{dialect.Postgres: "DELETE FROM paper WHERE paper.id > $1 AND paper.gone_at IS NOT NULL"},
		func(t *testing.T, s dialect.Server) (render.Text, error) {
			return (&render.Delete{Model: of(t, s), Where: nodes(conds[:1]), Deleted: ast.OnlyDeleted}).Render()
		})
	set := func(m *render.Model) []render.Assignment {
		return []render.Assignment{{Field: m.Deleted, Bound: true}}
	}
	onEach(t, map[string]string{dialect.Postgres: "UPDATE paper SET gone_at = $1 WHERE paper.id > $2"},
		func(t *testing.T, s dialect.Server) (render.Text, error) {
			m := of(t, s)
			return (&render.Update{Model: m, Set: set(m), Where: nodes(conds[:1]), Deleted: ast.WithDeleted}).Render()
		})
	m := of(t, engines[2])
	text, err := (&render.UpdateReturning{Model: m, Set: set(m), Query: ast.Select{Where: nodes(conds[:1]), Limit: limit(2), Deleted: ast.OnlyDeleted}}).Render()
	require.NoError(t, err)
	require.Equal(t, "WITH matching (k1) AS (SELECT paper.id FROM paper WHERE paper.id > $1 AND paper.gone_at IS NOT NULL LIMIT $2 FOR UPDATE OF paper) "+
		"UPDATE paper SET gone_at = $3 FROM matching WHERE paper.id = matching.k1 RETURNING paper.id, paper.desk_id, paper.gone_at", unquoted(dialect.Postgres, text.SQL))
}
