package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// TestS57_NullBesideAWindow: what stands beside a function over a window may be NULL.
func TestS57_NullBesideAWindow(t *testing.T) {
	nameBed(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		q := nameSales(ctx, t, db)
		w := query.RowNumber().Over(query.Window{}.OrderBy("id"))
		for _, of := range []query.Expr{
			F("rank").Sub(w), query.Case().When(F("rank").Eq(3), F("rank")).When(F("rank").Eq(nil), F("rank")).Else(w),
			query.Coalesce(query.NullIf(F("rank"), 4), query.NullIf(F("rank").Add(w), -1)),
		} {
			island := query.Select(q, F("id"), of.As("island"))
			for _, by := range []query.Order{F("island").Asc(), F("island").Desc().NullsFirst()} {
				ids, err := orm.Select[int64](ctx, island.OrderByExpr(by, F("id").Asc()), F("id"))
				require.NoError(t, err)
				require.Equal(t, []int64{1, 3, 4, 5, 2}, ids)
			}
			for _, cond := range []query.Cond{F("island").Ne(5), query.Not(F("island").Eq(5)), F("island").NotIn(5, 6)} {
				ids, err := orm.Select[int64](ctx, island.Filter(cond), F("id"))
				require.NoError(t, err)
				require.Len(t, ids, 5)
			}
		}
		texts := query.Select(q, F("id"), query.Concat(query.Cast[string](F("rank")), query.Cast[string](w)).As("island")).OrderByExpr(F("island").Asc().NullsLast())
		ids, err := orm.Select[int64](ctx, texts.Filter(F("island").Ne("x")), F("id"))
		require.NoError(t, err)
		require.Len(t, ids, 5)
		require.EqualValues(t, 2, ids[0])
	}, (*nameSale)(nil), (*nameBill)(nil))
}
