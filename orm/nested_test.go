package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Whether a statement that writes could have a common table expression depends on the
// server, on the order and on Limit: it is refused everywhere, before anything is sent.
func TestS35_NothingIsChangedByACommonTableExpression(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		radio := query.Select(orm.Objects[Project](db).Filter(F("name").Eq("Radio")), F("id"))
		with := query.With("radio", radio)
		const refused = "has no common table expressions: use the query without query.With"
		for name, c := range map[string]query.Cond{
			"In": F("project_id").In(with), "a query of it": F("project_id").In(query.Select(with, F("id"))),
			"Exists": query.Exists(with.Filter(F("id").Eq(query.Outer("project_id")))), "a value": F("project_id").Eq(query.Select(with, query.Max(F("id"))).Expr()),
		} {
			some := audio.Filter(c)
			n, err := some.Count(ctx)
			require.NoError(t, err, name)
			require.EqualValues(t, 7, n, name)
			for by, q := range map[string]orm.QuerySet[Audio]{"plain": some, "by a text": some.OrderBy("text"), "Limit": some.OrderBy("id").Limit(2), "by a text, Limit": some.OrderBy("text").Limit(2)} {
				_, err = q.UpdateReturning(ctx, query.Set("speed", 9))
				require.ErrorContains(t, err, refused, name, by)
				_, err = q.DeleteReturning(ctx)
				require.ErrorContains(t, err, refused, name, by)
			}
			_, err = some.Update(ctx, query.Set("speed", 9))
			require.ErrorContains(t, err, refused, name)
			_, err = some.Delete(ctx)
			require.ErrorContains(t, err, refused, name)
		}
		_, err := audio.Update(ctx, query.Set("speed", query.Select(with, query.Max(F("id"))).Expr()))
		require.ErrorContains(t, err, refused)
		n, err := audio.Filter(F("speed").Ne(9)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 7, n)

		// Without With it is a query like any other.
		list, err := audio.Filter(F("project_id").In(query.Select(radio, F("id")))).OrderBy("index").Limit(2).UpdateReturning(ctx, query.Set("speed", 9))
		require.NoError(t, err)
		require.Equal(t, []int{0, 1}, indexes(list))
		n, err = audio.Filter(F("project_id").In(query.Select(radio, F("id"))), F("speed").Eq(9)).Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
	})
}

// Outer is of the query right around, also two levels deep, in what is read and in what
// is changed.
func TestS32_OuterOverTwoLevels(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		// The last but one of a user: there is a later row, and none later than that.
		last := query.Not(query.Exists(audio.Filter(F("user_id").Eq(query.Outer("user_id")), F("index").Gt(query.Outer("index")))))
		lastButOne := audio.Filter(query.Exists(audio.Filter(F("user_id").Eq(query.Outer("user_id")), F("index").Eq(query.Outer("index").Add(1)), last)))
		rows, err := lastButOne.OrderBy("index").All(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{2, 4}, indexes(rows))
		// A value two levels deep, which names a row over a relation.
		owners := orm.Objects[Owner](db)
		named := audio.Filter(query.Exists(audio.Filter(F("id").Eq(query.Outer("id")), query.Exists(owners.Filter(F("id").Eq(query.Outer("project.owner_id")), F("name").Eq("Ada"))))))
		n, err := named.Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 7, n)
		n, err = named.Filter(F("index").Lt(3)).Update(ctx, query.Set("text", "named"))
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		n, err = lastButOne.Update(ctx, query.Set("speed", 9))
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		list, err := lastButOne.OrderBy("-index").Limit(1).UpdateReturning(ctx, query.Set("text", "taken"))
		require.NoError(t, err)
		require.Equal(t, []int{4}, indexes(list))
		gone, err := lastButOne.OrderBy("index").DeleteReturning(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{2, 4}, indexes(gone))
		n, err = audio.Filter(F("index").Lt(3), query.Not(query.Exists(audio.Filter(F("user_id").Eq(query.Outer("user_id")), last, F("index").Lt(query.Outer("index")))))).Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		n, err = audio.Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}

// MariaDB is told to go on in front of the statement, where a block has its BEGIN, its
// savepoints and its limit on waiting as well.
func TestS35_RecursionInABlock(t *testing.T) {
	const deep = 1500
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		limited := func(to int) query.Selection {
			return query.Recursive("counted", query.Select(audio.Filter(F("index").Eq(0)), query.Value(1).As("n"), F("project_id")), func(self query.Selection) query.Query {
				return query.Select(audio.Join("before", self, F("project_id").Eq(F("before.project_id"))).Filter(F("index").Eq(0), F("before.n").Lt(to)),
					F("before.n").Add(1).As("n"), F("project_id"))
			})
		}
		to := deep
		if db.Server().Product == "MySQL" {
			to = 900 // cte_max_recursion_depth is 1000
		}
		check := func(ctx context.Context) {
			t.Helper()
			n, err := orm.Select[int64](ctx, limited(to), query.Max(F("n")))
			require.NoError(t, err)
			require.Equal(t, []int64{int64(to)}, n)
		}
		check(ctx)
		inBlock(ctx, t, db, func(ctx context.Context) {
			check(ctx) // the first statement
			_, err := audio.Filter(F("index").Eq(6)).Update(ctx, query.Set("speed", 9))
			require.NoError(t, err)
			inBlock(ctx, t, db, check) // behind a savepoint
			check(ctx)
			n, err := audio.Filter(query.Value(int64(to)).In(query.Select(limited(to), F("n")))).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 7, n)
		})
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { check(ctx); return nil }, atomic.ReadOnly()))
		var last int64
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			for n, err := range orm.IterateSelect[int64](ctx, query.Select(limited(to), F("n")).OrderBy("n")) {
				require.NoError(t, err)
				last = n
			}
			return atomic.Rollback
		}))
		require.EqualValues(t, to, last)
		n, err := audio.Filter(F("speed").Eq(9)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}
