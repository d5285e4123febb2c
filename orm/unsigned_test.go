package orm_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Reserve counts without a sign, in columns that have none on MySQL and MariaDB.
type Reserve struct {
	bun.BaseModel `bun:"table:reserves"`
	models.AutoID
	Have     uint64
	Reserved uint64
	Share    uint
	Few      uint32
}

func TestS10_UnsignedNumbersAreCalculatedWithASign(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Reserve)(nil)))
		all := orm.Objects[Reserve](db)
		require.NoError(t, all.BulkCreate(ctx, []*Reserve{{Have: 7, Reserved: 2, Share: 3, Few: 1}, {Have: 3, Reserved: 5, Share: 4, Few: 9}}))
		second := all.Filter(F("share").Eq(4))
		free := F("have").Sub(F("reserved"))
		for name, c := range map[string]struct {
			of   query.Expr
			want int64
		}{
			"less": {free, -2}, "negated": {F("have").Neg(), -3}, "without its sign": {query.Abs(free), 2}, "divided": {F("have").Div(-2), -1}, "by one of them": {query.Value(-9).Div(F("share")), -2},
			"what is left": {free.Mod(F("share")), -2}, "a narrow one": {F("few").Sub(F("few")).Sub(F("have")), -3}, "a wide one": {F("few").Sub(F("have")).Mul(-1), -6},
			"times": {F("have").Mul(free), -6}, "instead of NULL": {query.Coalesce(F("have"), query.Value(0)).Sub(4), -1}, "a sum": {F("have").Add(-10), -7},
			"chosen": {query.Case().When(F("few").Gt(8), F("have")).Else(F("reserved")).Sub(4), -1}, "one of them or a number": {query.Case().When(F("few").Gt(8), F("have")).Else(1).Sub(4), -1}, "the greatest": {query.Greatest(F("have"), F("few")).Neg(), -9},
			"narrow ones": {query.Coalesce(F("few"), F("few")).Sub(10), -1}, "the greatest or a number": {query.Greatest(F("have"), -1).Sub(4), -1}, "the least": {query.Least(F("have").Sub(4), F("few").Sub(11)), -2},
			"as a text": {query.Length(query.Cast[string](free)), 2}, "the distance": {query.Abs(F("have").Sub(F("few"))), 6},
		} {
			got, err := orm.Select[int64](ctx, second, c.of)
			require.NoError(t, err, name)
			require.Equal(t, []int64{c.want}, got, name)
			n, err := second.Filter(c.of.Eq(c.want), c.of.Lt(c.want+1), c.of.Gt(c.want-1)).Count(ctx)
			require.NoError(t, err, name)
			require.EqualValues(t, 1, n, name)
		}
		n, err := all.Filter(free.Lt(0)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		order, err := orm.Select[int64](ctx, query.Select(all, free.As("free")).OrderBy("free"))
		require.NoError(t, err)
		require.Equal(t, []int64{-2, 5}, order)
		_, err = second.Update(ctx, query.Set("have", F("have").Sub(4)))
		require.Error(t, err, "the column has no numbers below zero")
		_, err = second.Update(ctx, query.Set("have", F("have").Sub(F("share")).Add(F("few"))))
		require.NoError(t, err)
		row, err := second.Get(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 8, row.Have)

		_, err = second.Update(ctx, query.Set("have", uint64(math.MaxInt64)))
		require.NoError(t, err)
		got, err := orm.Select[int64](ctx, second, F("have").Sub(1).Sub(F("have")))
		require.NoError(t, err)
		require.Equal(t, []int64{-1}, got)
		for _, e := range []query.Expr{F("have").Add(1), F("have").Mul(2), F("have").Neg().Sub(2)} {
			_, err = orm.Select[int64](ctx, second, e)
			require.Error(t, err)
		}
		if _, err = second.Update(ctx, query.Set("have", uint64(1)<<63+1)); err != nil {
			return // PostgreSQL and SQLite have no such numbers
		}
		for _, e := range []query.Expr{F("have").Add(1), F("have").Sub(F("have")), F("have").Div(2), query.Value(0).Sub(F("have"))} {
			_, err = orm.Select[int64](ctx, second, e)
			require.Error(t, err, "and no other number")
		}
		texts, err := orm.Select[string](ctx, second, query.Cast[string](F("have")))
		require.NoError(t, err)
		require.Equal(t, []string{"9223372036854775809"}, texts)
	})
}
