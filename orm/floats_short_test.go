package orm_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Dial has floating-point numbers of 4 bytes, and one of 8.
type Dial struct {
	bun.BaseModel `bun:"table:dial"`
	ID            int64   `bun:",pk"`
	V             float32 `bun:"type:float4"`
	W             float64 `bun:"type:float(24)"`
	Wide          float64
}

// dials are rows whose sum has more digits than 4 bytes hold, and one that is no
// decimal number.
func dials(ctx context.Context, t *testing.T, db *orm.DB) (orm.QuerySet[Dial], []*Dial) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*Dial)(nil)))
	var rows []*Dial
	for i, v := range []float32{1 << 24, 1, 1, 0.7, -0.1, math.MaxFloat32} {
		rows = append(rows, &Dial{ID: int64(i + 1), V: v, W: float64(v), Wide: 0.7})
	}
	all := orm.Objects[Dial](db)
	require.NoError(t, all.BulkCreate(ctx, rows))
	return all, rows
}

// A floating-point number of 4 bytes is compared as the number that it is, with any other.
func TestS10_FloatsOfFourBytesCompareExactly(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all, rows := dials(ctx, t, db)
		short := float64(float32(0.7))
		values := map[string]any{
			"0.7": 0.7, "its own": float32(0.7), "wide": short, "2^24+1": 1<<24 + 1, "2^24+1 as a float": float64(1<<24 + 1), "2^24": 1 << 24, "a text": digits("16777217"),
			"0.7 as a text": digits("0.7"), "a Rat": big.NewRat(7, 10), "large": 1e300, "small": 1e-300, "one": 1, "negative": -0.1, "negative of its own": float32(-0.1),
		}
		for range 2 { // written, and kept
			for name, v := range values {
				number := map[string]float64{"a text": 1<<24 + 1, "0.7 as a text": 0.7, "a Rat": 0.7}[name]
				switch v := v.(type) {
				case float64:
					number = v
				case float32:
					number = float64(v)
				case int:
					number = float64(v)
				}
				for _, column := range []string{"v", "w"} {
					c := F(column)
					for op, holds := range map[string]struct {
						cond query.Cond
						of   func(float64) bool
					}{
						"Eq": {c.Eq(v), func(f float64) bool { return f == number }}, "Ne": {c.Ne(v), func(f float64) bool { return f != number }},
						"Lt": {c.Lt(v), func(f float64) bool { return f < number }}, "Le": {c.Le(v), func(f float64) bool { return f <= number }},
						"Gt": {c.Gt(v), func(f float64) bool { return f > number }}, "Ge": {c.Ge(v), func(f float64) bool { return f >= number }},
						"In": {c.In(v, 3), func(f float64) bool { return f == number }}, "NotIn": {c.NotIn(v, 3), func(f float64) bool { return f != number }},
						"a Value": {query.Value(v).Lt(c), func(f float64) bool { return f > number }},
					} {
						if _, isRat := v.(*big.Rat); isRat && op == "a Value" {
							continue // a value by itself
						}
						if _, isText := v.(digits); isText && op == "a Value" {
							continue
						}
						var want []int64
						for _, r := range rows {
							if holds.of(float64(r.V)) {
								want = append(want, r.ID)
							}
						}
						got, err := orm.Select[int64](ctx, all.Filter(holds.cond).OrderBy("id"), F("id"))
						require.NoError(t, err, "%s %s", op, name)
						if len(want) == 0 {
							want = []int64{}
						}
						assert.Equal(t, want, got, "%s %s %s", column, op, name)
					}
				}
			}
		}
		for name, c := range map[string]struct {
			cond query.Cond
			want int64
		}{
			"another column": {F("v").Eq(F("wide")), 0}, "its own kind": {F("v").Eq(F("w")), 6}, "chosen": {query.Coalesce(F("v"), F("w")).Eq(1<<24 + 1), 0},
			"greatest": {query.Greatest(F("v"), 0.7).Eq(0.7), 2}, "in a case": {query.Case().When(F("v").Gt(0), F("v")).Else(0.7).Eq(0.7), 1},
			"NullIf": {query.NullIf(F("v"), 0.7).IsNull(), 0}, "least of a group": {query.Exists(all.Filter(F("id").Eq(query.Outer("id")), F("v").Gt(0.69999999))), 4},
			"of a sub-select": {F("v").In(query.Select(all.Filter(F("v").Lt(0.7)), F("v"))), 2},
		} {
			n, err := all.Filter(c.cond).Count(ctx)
			require.NoError(t, err, name)
			assert.Equal(t, c.want, n, name)
		}
	})
}

// What is calculated with them is calculated in 8 bytes.
func TestS50_FloatsOfFourBytesAreCalculatedInEight(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all, rows := dials(ctx, t, db)
		three := all.Filter(F("id").Le(3))
		for name, e := range map[string]query.AggregateExpr{
			"a sum": query.Sum(F("v")), "of a case": query.Sum(query.Case().When(F("id").Gt(0), F("v")).Else(0)), "of some": query.Sum(F("v")).Where(F("id").Gt(0)),
			"of a product": query.Sum(F("v").Mul(1)),
		} {
			got, err := orm.Aggregate[float64](ctx, three, e)
			require.NoError(t, err, name)
			assert.InDelta(t, 1<<24+2, got, 0, name)
		}
		sums, err := orm.Select[float64](ctx, three.OrderBy("-id").Limit(1), query.Sum(F("v")).Over(query.Partition().OrderBy("id")))
		require.NoError(t, err)
		assert.Equal(t, []float64{1<<24 + 2}, sums)
		n, err := orm.Select[int64](ctx, three.GroupBy("wide").Having(query.Sum(F("v")).Eq(1<<24+2)), query.Count())
		require.NoError(t, err)
		assert.Equal(t, []int64{3}, n)
		mean, err := orm.Aggregate[float64](ctx, three, query.Avg(F("v")))
		require.NoError(t, err)
		assert.InDelta(t, (1<<24+2)/3.0, mean, 0)
		highest, err := orm.Aggregate[float64](ctx, three, query.Max(F("v")))
		require.NoError(t, err)
		assert.InDelta(t, 1<<24, highest, 0)
		for name, c := range map[string]struct {
			e    query.Expr
			want func(float64) float64
		}{
			"Add": {F("v").Add(1), func(v float64) float64 { return v + 1 }}, "Sub": {F("v").Sub(0.1), func(v float64) float64 { return v - 0.1 }},
			"Mul": {F("v").Mul(3), func(v float64) float64 { return v * 3 }}, "Div": {F("v").Div(3), func(v float64) float64 { return v / 3 }},
			"itself": {F("v").Add(F("w")), func(v float64) float64 { return v + v }}, "divided": {query.Value(1.0).Div(F("v")), func(v float64) float64 { return 1 / v }},
			"Abs": {query.Abs(F("v")).Mul(3), func(v float64) float64 { return math.Abs(v) * 3 }}, "Round": {query.Round(F("v"), 3), func(v float64) float64 { return math.Round(v*1000) / 1000 }},
			"chosen": {query.Coalesce(F("v"), query.Value(0.7)), func(v float64) float64 { return v }}, "chosen and divided": {query.Coalesce(F("v"), query.Value(0.7)).Div(3), func(v float64) float64 { return v / 3 }},
			"Cast": {query.Cast[float64](F("v")).Add(0.1), func(v float64) float64 { return v + 0.1 }}, "Neg": {F("v").Neg().Sub(0.1), func(v float64) float64 { return -v - 0.1 }},
			"beside a whole number": {query.Case().When(F("id").Eq(1), 1<<24+1).Else(F("v")), func(v float64) float64 {
				if v == 1<<24 {
					return v + 1
				}
				return v
			}},
			"the greatest": {query.Greatest(F("v"), 1<<24+1), func(float64) float64 { return 1<<24 + 1 }}, "chosen with a whole number": {query.Coalesce(query.NullIf(F("v"), F("v")), query.Value(1<<24+1)), func(float64) float64 { return 1<<24 + 1 }},
			"the value": {query.Coalesce(query.NullIf(F("v"), F("v")), query.Value(0.7)), func(float64) float64 { return 0.7 }},
			"of a Case": {query.Case().When(F("id").Eq(1), F("v")).Else(0.7), func(v float64) float64 {
				if v == 1<<24 {
					return v
				}
				return 0.7
			}},
		} {
			got, err := orm.Select[float64](ctx, all.Filter(F("id").Le(5)).OrderBy("id"), c.e)
			require.NoError(t, err, name)
			for i, r := range rows[:5] {
				assert.InDelta(t, c.want(float64(r.V)), got[i], 0, fmt.Sprint(name, " ", i))
			}
		}
		if db.Server().Engine != dialect.SQLite { // whose numbers have 8 bytes
			_, err = all.Filter(F("id").Eq(4)).Update(ctx, query.Set("w", F("w").Mul(3)))
			require.Error(t, err, "more digits than 4 bytes keep")
		}
		_, err = all.Filter(F("id").Eq(4)).Update(ctx, query.Set("v", F("v").Add(0.1)), query.Set("w", F("w").Mul(2)))
		require.NoError(t, err)
		row, err := all.Find(ctx, 4)
		require.NoError(t, err)
		assert.InDelta(t, float32(float64(float32(0.7))+0.1), row.V, 0)
		assert.InDelta(t, float64(float32(0.7))*2, row.W, 0)
		_, err = all.Filter(F("id").Eq(6)).Update(ctx, query.Set("v", F("v").Mul(2)))
		assert.Error(t, err, "beyond the column")
	})
}
