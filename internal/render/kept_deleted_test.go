package render_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// paperModel is a model of which rows are deleted softly, as are those of its relation.
func paperModel(t require.TestingT, s dialect.Server) *render.Model {
	models, err := render.NewModels(s, schemaOf(s.Engine))
	require.NoError(t, err)
	_, err = models.Of(reflect.TypeFor[DeskMark]())
	require.NoError(t, err)
	m, err := models.Of(reflect.TypeFor[Paper]())
	require.NoError(t, err)
	return m
}

// living is which deleted rows are read too.
type living struct {
	deleted ast.Deleted
	of      []string
}

func anyLiving(t *rapid.T) living {
	return living{rapid.SampledFrom([]ast.Deleted{ast.LeaveDeleted, ast.WithDeleted, ast.OnlyDeleted}).Draw(t, "deleted"),
		rapid.SampledFrom([][]string{nil, {"desk"}, {"desk", "desk"}, {"desk.papers"}, {"nothing"}}).Draw(t, "paths")}
}

// Statements that differ in nothing but in which deleted rows they read are kept apart.
func TestS65_KeptIsWhatIsWrittenOfDeletedRows(t *testing.T) {
	for _, s := range engines {
		t.Run(s.Engine, func(t *testing.T) {
			kept, written := paperModel(t, s), paperModel(t, s)
			rapid.Check(t, func(t *rapid.T) {
				kept.Forget()
				column := query.F(rapid.SampledFrom([]string{"id", "desk_id", "desk.id"}).Draw(t, "column"))
				at := query.F(rapid.SampledFrom([]string{"gone_at", "desk.gone_at", "id"}).Draw(t, "at"))
				related := rapid.SampledFrom([][]string{nil, {"desk"}}).Draw(t, "related")
				conditions := rapid.IntRange(0, 2).Draw(t, "conditions")
				for range 6 {
					l := anyLiving(t)
					var conds []query.Cond
					if conditions > 0 {
						conds = append(conds, column.Eq(rapid.SampledFrom([]any{1, nil, "x"}).Draw(t, "value")))
					}
					if conditions > 1 {
						conds = append(conds, at.Ne(rapid.SampledFrom([]any{nil, time.Time{}, time.Unix(1, 0), 3}).Draw(t, "time")))
					}
					where := nodes(conds)
					q := ast.Select{Related: related, Where: where, Deleted: l.deleted, DeletedOf: l.of}
					for name, run := range map[string]func(*render.Model) string{
						"rows": func(m *render.Model) string {
							text, joins, err := m.Rows(&q)
							return fmt.Sprint(said(text, err), len(joins))
						},
						"exists": func(m *render.Model) string { return said(m.Exists(&q)) },
						"count":  func(m *render.Model) string { return said(m.Count(&q)) },
						"update": func(m *render.Model) string {
							a, err := m.Assignment(query.Set("desk_id", 3).Node())
							require.NoError(t, err)
							return said((&render.Update{Model: m, Set: []render.Assignment{a}, Where: where, Deleted: l.deleted, DeletedOf: l.of}).Render())
						},
						"delete": func(m *render.Model) string {
							return said((&render.Delete{Model: m, Where: where, Deleted: l.deleted, DeletedOf: l.of}).Render())
						},
					} {
						written.Forget()
						want := run(written)
						require.Equal(t, want, run(kept), name)
						require.Equal(t, want, run(kept), name+" again")
					}
				}
			})
		})
	}
}

// A part of a SELECT that its shape does not know would be read from another one's
// text: what is new has to be asked for here.
func TestS65_AShapeKnowsAllPartsOfASelect(t *testing.T) {
	known := map[string]bool{}
	for _, name := range []string{
		"Distinct", "Related", "Where", "Deleted", "DeletedOf", "Order", "Limit", "Offset", "Locks", // in the key
		"From", "Joins", "Outputs", "Computed", "Group", "Having", "Err", // without a shape
		"Database",            // only sub-selects ask for it, and have no shape
		"Backward", "Replica", // of where it is sent, and how it is read
	} {
		known[name] = true
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[ast.Select]()) {
		require.True(t, known[f.Name], "%s is in no shape", f.Name)
	}
	for of, fields := range map[reflect.Type]int{reflect.TypeFor[ast.Lock](): 5, reflect.TypeFor[ast.Order](): 3, reflect.TypeFor[ast.Comparison](): 3,
		reflect.TypeFor[ast.Membership](): 3, reflect.TypeFor[ast.And](): 1, reflect.TypeFor[ast.Or](): 1, reflect.TypeFor[ast.Not](): 1} {
		require.Equal(t, fields, of.NumField(), of)
	}
}
