package orm_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// SQLite keeps each alternative what it is, and divides whole ones as such. MySQL and MariaDB
// take a bound floating-point number for a decimal one, whose quotients end after four places.
func TestS50_WholeNumbersAmongFloatingOnes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		figures(ctx, t, db)
		instead := func(p *int64, f float64) float64 {
			if p == nil {
				return f
			}
			return float64(*p)
		}
		chosen := func(r *Figure, f float64) float64 {
			if r.I > 0 {
				return float64(r.I)
			}
			return f
		}
		same(ctx, t, db, func(r *Figure) int64 { return r.ID }, []computed[Figure]{
			{"instead of NULL", query.Coalesce(F("m"), query.Value(0.5)).Div(2), func(r *Figure) any { return instead(r.M, 0.5) / 2 }},
			{"a column instead of NULL", query.Coalesce(F("m"), F("f")).Div(4), func(r *Figure) any { return instead(r.M, r.F) / 4 }},
			{"chosen", query.Case().When(F("i").Gt(0), F("i")).Else(0.5).Div(2), func(r *Figure) any { return chosen(r, 0.5) / 2 }},
			{"chosen among values", query.Case().When(F("i").Gt(0), 0.5).Else(3).Div(2), func(r *Figure) any { return map[bool]float64{true: 0.25, false: 1.5}[r.I > 0] }},
			{"of a value", query.Value(100.0).Mul(F("i")).Div(7), func(r *Figure) any { return 100 * float64(r.I) / 7 }},
			{"of two values", query.Value(0.1).Add(query.Value(0.2)), func(*Figure) any { a, b := 0.1, 0.2; return a + b }},
			{"of chosen values", query.Case().When(F("i").Gt(0), 0.1).Else(0.7).Mul(3), func(r *Figure) any {
				f := 0.7
				if r.I > 0 {
					f = 0.1
				}
				return f * 3
			}},
		})
	})
}

func TestS50_SumsAmongFloatingPointNumbers(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		figures(ctx, t, db)
		q := orm.Objects[Figure](db).Filter(F("i").In(7, 10, -2))
		for _, sum := range []query.Expr{query.Sum(F("n")).Expr, query.Sum(F("i")).Expr} { // PostgreSQL's sum of narrow columns is an integer
			for name, c := range map[string]struct {
				of   query.Expr
				want float64
			}{
				"a product": {sum.Mul(1.0).Div(2), 7.5}, "a sum": {sum.Add(1.0).Div(2), 8}, "the greatest": {query.Greatest(sum, 0.0).Div(2), 7.5}, "the least": {query.Least(sum, 0.5).Div(2), 0.25},
				"chosen": {query.Case().When(query.Count().Gt(1), sum).Else(0.5).Div(2), 7.5}, "instead": {query.Coalesce(sum, query.Value(0.5)).Div(2), 7.5}, "whole": {sum.Div(2), 7}, "a whole value instead": {query.Coalesce(sum, query.Value(0.0)).Div(2), 7},
			} {
				got, err := orm.Aggregate[float64](ctx, q, c.of)
				require.NoError(t, err, name)
				require.InDelta(t, c.want, got, 1e-12, name)
			}
			_, err := orm.Aggregate[float64](ctx, q, sum.Mul(2.0).Mod(7))
			require.ErrorAs(t, err, new(*query.ValueError))
			for i, c := range []struct {
				cond query.Cond
				want int
			}{{sum.Eq(7.5), 0}, {sum.Ne(7.5), 3}, {sum.In(7.5, 7), 1}, {sum.Gt(9.5), 1}, {query.Value(2.5).Gt(sum), 1}} {
				ids, err := orm.Select[int64](ctx, q.GroupBy("id").Having(c.cond), F("id"))
				require.NoError(t, err, i)
				require.Len(t, ids, c.want, i)
			}
		}
	})
}

func TestS10_LargeNumbersBesideFloatingOnes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		figures(ctx, t, db)
		all := orm.Objects[Figure](db)
		count := func(c query.Cond) int64 {
			t.Helper()
			n, err := all.Filter(c).Count(ctx)
			require.NoError(t, err)
			return n
		}
		rows := count(F("id").Gt(0))
		require.Equal(t, rows, count(F("f").Lt(uint64(1)<<63)))
		require.Equal(t, rows, count(F("f").Ne(uint64(math.MaxUint64))))
		require.Zero(t, count(F("f").In(uint64(1)<<63, uint64(1)<<63+1)))
		require.Zero(t, count(F("f").Mul(2.0).Ge(uint64(1)<<63)))
	})
}
