package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestS32_SubSelects(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio, projects := orm.Objects[Audio](db), orm.Objects[Project](db)
		names := func(q orm.QuerySet[Project]) (list []string) {
			t.Helper()
			rows, err := q.OrderBy("name").All(ctx)
			require.NoError(t, err)
			n, err := q.Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, len(rows), n)
			for _, p := range rows {
				list = append(list, p.Name)
			}
			return list
		}
		its := audio.Filter(F("project_id").Eq(query.Outer("id")))
		require.Equal(t, []string{"Radio"}, names(projects.Filter(query.Exists(its))))
		require.Equal(t, []string{"Empty"}, names(projects.Exclude(query.Exists(its))))
		require.Equal(t, []string{"Empty"}, names(projects.Filter(query.Not(query.Exists(its.Filter(F("index").Gt(2)).OrderBy("index"))))))
		require.Equal(t, []string{"Radio"}, names(projects.Filter(F("id").In(query.Select(audio, F("project_id"))))))
		require.Equal(t, []string{"Empty"}, names(projects.Filter(F("id").NotIn(query.Select(audio, F("project_id"))))))
		require.Equal(t, []string{"Radio"}, names(projects.Filter(F("id").In(query.Select(audio.OrderBy("id").Limit(2), F("project_id"))))))
		require.Equal(t, []string{"Empty"}, names(projects.Filter(query.Coalesce(query.Select(its, query.Count()), query.Value(0)).Eq(0))))

		// NULL equals nothing, also in a sub-select.
		paths := query.Select(audio.Filter(F("index").Lt(2)), F("path"))
		n, err := audio.Filter(F("path").In(paths)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		n, err = audio.Filter(F("path").NotIn(paths)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
		n, err = audio.Exclude(F("path").In(paths)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 5, n)

		// The table within itself: the rows that are the user's last.
		last := query.Select(audio.Filter(F("user_id").Eq(query.Outer("user_id"))), query.Max(F("index")))
		rows, err := audio.Filter(F("index").Eq(last)).OrderBy("index").All(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{3, 5, 6}, indexes(rows))
		// Two deep, each within itself.
		rows, err = audio.Filter(query.Exists(audio.Filter(F("index").Gt(query.Outer("index")), F("user_id").Eq(query.Outer("user_id")),
			query.Not(query.Exists(audio.Filter(F("index").Gt(query.Outer("index")), F("user_id").Eq(query.Outer("user_id")))))))).OrderBy("index").All(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{0, 1, 2, 4}, indexes(rows))

		// What is changed can be found, and computed, by sub-selects.
		n, err = audio.Filter(F("index").Eq(last)).Update(ctx, query.Set("text", "last"))
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		n, err = audio.Filter(F("text").Eq("last"), query.Exists(projects.Filter(F("id").Eq(query.Outer("project_id")), F("name").Eq("Radio")))).Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		n, err = projects.Update(ctx, query.Set("name", query.Select(orm.Objects[Owner](db), query.Max(F("name")))))
		require.ErrorIs(t, err, dialect.ErrUniqueViolation, n)
		n, err = audio.Filter(F("user_id").Eq(8)).Update(ctx, query.Set("index", query.Select(audio, query.Max(F("index")))))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

func TestS32_SubSelectsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		audio, projects := orm.Objects[Audio](db), orm.Objects[Project](db)
		for want, c := range map[string]query.Cond{
			"a query of whole rows is no value":                            F("id").In(audio),
			"has one row: put out an aggregate without GroupBy":            F("id").Eq(query.Select(audio, F("project_id"))),
			"puts out one value, and this one 2":                           F("id").In(query.Select(audio, F("project_id"), F("index"))),
			"cannot stand beside":                                          F("id").In(query.Select(audio, F("text"))),
			"a floating-point number among exact ones":                     F("id").In(query.Select(audio, F("speed"))),
			"is named by Outer in a sub-select that is read from":          query.Exists(query.Select(audio, F("id")).Filter(F("id").Eq(1)).Join("x", query.Select(audio.Filter(F("id").Eq(query.Outer("id"))), F("id")), F("id").Eq(F("x.id")))),
			`Project: field "id" is named by Outer, but nothing is around`: F("id").Eq(query.Outer("id")),
			`Project has no field "nope"`:                                  query.Exists(audio.Filter(F("id").Eq(query.Outer("nope")))),
			"a sub-select is nil":                                          query.Exists(nil),
			"a sub-select locks no rows":                                   query.Exists(audio.SelectForUpdate()),
		} {
			_, err := projects.Filter(c).Count(ctx)
			require.ErrorContains(t, err, want)
		}
		other := open(t, testserver.NewSQLite(t))
		_, err := projects.Filter(query.Exists(orm.Objects[Audio](other))).Count(ctx)
		require.ErrorContains(t, err, "a sub-select is of another database")
	})
}

type annotated struct {
	bun.BaseModel `bun:"table:project"`
	ID            int64 `bun:",pk"`
	Name          string
	Rows          int64 `bun:",scanonly"`
}

func TestS33_Annotate(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		count := query.Select(orm.Objects[Audio](db).Filter(F("project_id").Eq(query.Outer("id"))), query.Count())
		all := orm.Objects[annotated](db).Annotate("rows", count)
		rows, err := all.OrderBy("-rows").All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.EqualValues(t, 7, rows[0].Rows)
		require.EqualValues(t, 0, rows[1].Rows)
		rows, err = all.Filter(F("rows").Gt(3)).All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Equal(t, "Radio", rows[0].Name)
		n, err := all.Filter(F("rows").Eq(0)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		numbered, err := orm.Objects[annotated](db).Annotate("rows", query.RowNumber().Over(query.Partition().OrderBy("-name"))).OrderBy("rows").All(ctx)
		require.NoError(t, err)
		require.Equal(t, "Radio", numbered[0].Name)
		require.EqualValues(t, 2, numbered[1].Rows)
		_, err = orm.Objects[annotated](db).Annotate("name", F("id")).All(ctx)
		require.ErrorContains(t, err, "is a column that is stored")
		_, err = orm.Objects[annotated](db).Annotate("rows", F("name")).All(ctx)
		require.ErrorContains(t, err, "is an integer, and what is computed for it is text")
		_, err = orm.Objects[annotated](db).Annotate("rows", query.Count()).All(ctx)
		require.ErrorContains(t, err, "an aggregate function is computed over a whole set")
	})
}

type twiceAnnotated struct {
	bun.BaseModel `bun:"table:project"`
	ID            int64 `bun:",pk"`
	Name          string
	Rows, Twice   int64   `bun:",scanonly"`
	Half          float64 `bun:",scanonly"`
}

func TestS33_AnnotationsOfAnnotations(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		count := query.Select(orm.Objects[Audio](db).Filter(F("project_id").Eq(query.Outer("id"))), query.Count())
		all := orm.Objects[twiceAnnotated](db).Annotate("rows", count).Annotate("twice", F("rows").Mul(2)).Annotate("half", F("twice").Div(4.0))
		rows, err := all.Filter(F("twice").Ge(0)).OrderBy("-half").All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.Equal(t, []any{int64(7), int64(14), 3.5}, []any{rows[0].Rows, rows[0].Twice, rows[0].Half})
		half, err := orm.Aggregate[float64](ctx, all, query.Max(F("half")))
		require.NoError(t, err)
		require.InDelta(t, 3.5, half, 1e-12)
		constant, err := orm.Objects[twiceAnnotated](db).Annotate("rows", query.Value(2)).Annotate("twice", F("rows")).Annotate("half", query.Value(0.5)).OrderBy("twice", "-name").All(ctx)
		require.NoError(t, err)
		require.Equal(t, "Radio", constant[0].Name)
		_, err = orm.Objects[twiceAnnotated](db).Annotate("rows", F("id")).Annotate("twice", query.Select(orm.Objects[Audio](db).Filter(F("id").Eq(query.Outer("rows"))), query.Count())).Annotate("half", query.Value(0.5)).All(ctx)
		require.ErrorContains(t, err, "is computed, and cannot be reached from a sub-select")
	})
}
