package orm_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// computed is an expression, and what it is for a row in Go: nil for NULL.
type computed[T any] struct {
	name string
	expr query.Operand
	want func(*T) any
}

// same compares expressions with what Go makes of the same rows, one statement
// for each.
func same[T any](ctx context.Context, t *testing.T, db *orm.DB, id func(*T) int64, list []computed[T]) {
	t.Helper()
	rows, err := orm.Objects[T](db).OrderBy("id").All(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, rows)
	for _, c := range list {
		e := query.Coalesce(c.expr) // to have the methods
		var conds []query.Cond
		want := map[int64]any{}
		for _, row := range rows {
			v := c.want(row)
			want[id(row)] = v
			conds = append(conds, query.And(F("id").Eq(id(row)), equal(c.expr, v)))
		}
		got, err := orm.Objects[T](db).Filter(query.Or(conds...)).All(ctx)
		if !sayError(t, c.name, err) {
			continue
		}
		for _, row := range got {
			delete(want, id(row))
		}
		for n, v := range want {
			have, err := orm.Aggregate[any](ctx, orm.Objects[T](db).Filter(F("id").Eq(n)), query.Min(e))
			if b, ok := have.([]byte); ok {
				have = string(b)
			}
			row, _ := orm.Objects[T](db).Filter(F("id").Eq(n)).Get(ctx)
			t.Errorf("%s of %+v: %v (%T), want %v: %v", c.name, row, have, have, deref(v), err)
		}
	}
}

func sayError(t *testing.T, name string, err error) bool {
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return err == nil
}

func deref(v any) any {
	switch v := v.(type) {
	case *int64:
		if v != nil {
			return *v
		}
	case *string:
		if v != nil {
			return *v
		}
	}
	return v
}

// equal is Eq, and of texts what no collation takes for more.
func equal(e query.Operand, v any) query.Cond {
	x := compared(e)
	if s, isText := v.(string); isText {
		return query.And(x.StartsWith(s), query.Length(x).Eq(utf8.RuneCountInString(s)))
	}
	return x.Eq(v)
}

func compared(e query.Operand) query.Expr {
	if x, ok := e.(query.Expr); ok {
		return x
	}
	return e.(query.CaseExpr).Expr
}

// orNull is fn of what n points to, and NULL of NULL.
func orNull[A, B any](p *A, fn func(A) B) any {
	if p == nil {
		return nil
	}
	return fn(*p)
}

type Figure struct {
	models.AutoID
	N int64
	I int32
	M *int64
	F float64
	G *float64
}

func figures(ctx context.Context, t *testing.T, db *orm.DB) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*Figure)(nil)))
	whole := []int64{0, 1, -1, 2, -2, 7, -7, 10, -10, 99, -99, 1 << 53, -1<<53 - 1, math.MaxInt64, math.MinInt64 + 1}
	floats := []float64{0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999999999999994, -0.49999999999999994, 1.005, 2.675, -1.25, 1e15 + 0.5, 1 << 53, -1e300, 123.456}
	var rows []*Figure
	for i, n := range whole {
		row := &Figure{N: n, I: int32(n % 1000), F: floats[i]}
		if i%3 != 0 {
			m, g := int64(i%5)-2, floats[(i*7+3)%len(floats)]
			row.M, row.G = &m, &g
		}
		rows = append(rows, row)
	}
	require.NoError(t, orm.Objects[Figure](db).BulkCreate(ctx, rows))
}

func roundTo(f float64, places int) float64 {
	p := math.Pow10(places)
	if math.Abs(f) >= 1<<52 {
		return f
	}
	return math.Round(f*p) / p
}

func TestS50_NumbersAreCalculatedAlike(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		figures(ctx, t, db)
		quotient := func(a, b int64) any {
			if b == 0 {
				return nil
			}
			return a / b
		}
		rest := func(a, b int64) any {
			if b == 0 {
				return nil
			}
			return a % b
		}
		list := []computed[Figure]{
			{"NULL over", query.Value(7).Div(F("m")), func(r *Figure) any { return orNull(r.M, func(m int64) any { return quotient(7, m) }) }},
			{"n / m", F("n").Div(F("m")), func(r *Figure) any { return orNull(r.M, func(m int64) any { return quotient(r.N, m) }) }},
			{"n % m", F("n").Mod(F("m")), func(r *Figure) any { return orNull(r.M, func(m int64) any { return rest(r.N, m) }) }},
			{"i / n", F("i").Div(F("n")), func(r *Figure) any { return quotient(int64(r.I), r.N) }},
			{"i % n", F("i").Mod(F("n")), func(r *Figure) any { return rest(int64(r.I), r.N) }},
			{"-n", F("n").Neg(), func(r *Figure) any { return -r.N }},
			{"-i", F("i").Neg(), func(r *Figure) any { return -int64(r.I) }},
			{"|n|", query.Abs(F("n")), func(r *Figure) any { return max(r.N, -r.N) }},
			{"|m|", query.Abs(F("m")), func(r *Figure) any { return orNull(r.M, func(m int64) int64 { return max(m, -m) }) }},
			{"|f|", query.Abs(F("f")), func(r *Figure) any { return math.Abs(r.F) }},
			{"-f", F("f").Neg(), func(r *Figure) any { return -r.F }},
			{"f / 3", F("f").Div(3), func(r *Figure) any { return r.F / 3 }},
			{"i / 2.5", F("i").Div(2.5), func(r *Figure) any { return float64(r.I) / 2.5 }},
			{"i / 2.0", F("i").Div(2.0), func(r *Figure) any { return float64(r.I) / 2 }},
			{"n / 3.0", F("n").Div(3.0), func(r *Figure) any { return float64(r.N) / 3 }},
			{"7 / 2.0", query.Value(7).Div(2.0), func(*Figure) any { return 3.5 }},
			{"f / i", F("f").Div(F("i")), func(r *Figure) any {
				if r.I == 0 {
					return nil
				}
				return r.F / float64(r.I)
			}},
			{"n / 10 + 1", F("n").Div(10).Add(1), func(r *Figure) any { return r.N/10 + 1 }},
			{"(i + 7) % 3", F("i").Add(7).Mod(3), func(r *Figure) any { return (int64(r.I) + 7) % 3 }},
			{"round n", query.Round(F("n"), 2), func(r *Figure) any { return r.N }},
			{"round g", query.Round(F("g"), 1), func(r *Figure) any { return orNull(r.G, func(g float64) float64 { return roundTo(g, 1) }) }},
		}
		for _, d := range []int64{1, -1, 2, -2, 3, -3, 10, math.MaxInt64} {
			list = append(list,
				computed[Figure]{fmt.Sprint("n / ", d), F("n").Div(d), func(r *Figure) any { return r.N / d }},
				computed[Figure]{fmt.Sprint("n % ", d), F("n").Mod(d), func(r *Figure) any { return r.N % d }})
		}
		for _, places := range []int{0, 1, 2, 15} {
			list = append(list, computed[Figure]{fmt.Sprint("round f to ", places), query.Round(F("f"), places), func(r *Figure) any { return roundTo(r.F, places) }})
		}
		same(ctx, t, db, func(r *Figure) int64 { return r.ID }, list)
	})
}

func TestS50_WhatCannotBeCalculated(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		figures(ctx, t, db)
		all := orm.Objects[Figure](db)
		for name, e := range map[string]query.Expr{
			"by zero": F("n").Div(0), "by a zero that is no integer": F("f").Div(0.0), "rest of zero": F("n").Mod(0),
			"rest of a float": F("f").Mod(2), "rest by a float": F("n").Mod(1.5), "by NULL": F("n").Div(nil),
			"places": query.Round(F("f"), -1), "more places": query.Round(F("f"), 16),
		} {
			var value *query.ValueError
			_, err := all.Filter(e.Eq(1)).Count(ctx)
			require.ErrorAs(t, err, &value, name)
		}
		// What leaves 64 bits is an error, and not another number.
		require.NoError(t, all.Create(ctx, &Figure{N: math.MinInt64}))
		for name, e := range map[string]query.Expr{
			"quotient": F("n").Div(-1), "sign": F("n").Neg(), "size": query.Abs(F("n")), "inside of a remainder": F("n").Sub(1).Mod(7), "of two": F("n").Div(F("i").Add(-1)),
		} {
			_, err := all.Filter(F("n").Eq(int64(math.MinInt64)), e.Gt(0)).Count(ctx)
			require.Error(t, err, "%s on %s", name, db.Server())
		}
		n, err := all.Filter(F("n").Eq(int64(math.MinInt64)), F("n").Mod(-1).Eq(0)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

type Amount struct {
	models.AutoID
	Net string `bun:"type:decimal(12,3)"`
	Fee string `bun:"type:decimal(12,1)"`
}

func TestS51_DecimalsAreRoundedExactly(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Amount)(nil)))
		all := orm.Objects[Amount](db)
		rows := []*Amount{{Net: "1.005", Fee: "0.5"}, {Net: "-1.005", Fee: "-0.5"}, {Net: "2.675", Fee: "2.0"}, {Net: "0.004", Fee: "1.0"}, {Net: "99999999.995", Fee: "3.5"}}
		require.NoError(t, all.BulkCreate(ctx, rows))
		if db.Server().Engine == dialect.SQLite {
			for _, e := range []query.Expr{query.Round(F("net"), 2), F("net").Div(2), F("net").Mod(1), query.Greatest(F("net"), F("fee")), query.Case().When(F("id").Eq(1), F("net")).Else(F("fee"))} {
				_, err := all.Filter(e.Eq("1")).Count(ctx)
				require.ErrorIs(t, err, dialect.ErrUnsupported)
			}
		} else {
			for i, want := range []string{"1.01", "-1.01", "2.68", "0", "100000000"} {
				n, err := all.Filter(F("id").Eq(rows[i].ID), query.Round(F("net"), 2).Eq(want)).Count(ctx)
				require.NoError(t, err)
				require.EqualValues(t, 1, n, want)
			}
			n, err := all.Update(ctx, query.Set("net", query.Round(F("net"), 2)))
			require.NoError(t, err)
			require.EqualValues(t, 5, n)
			var value *query.ValueError
			_, err = all.Update(ctx, query.Set("fee", query.Case().When(F("id").Eq(1), F("fee")).Else(F("net"))))
			require.ErrorAs(t, err, &value, "the second has more places than the column")
		}
		n, err := all.Filter(query.Case().When(F("id").Gt(0), F("fee")).Else("0.0").Eq("0.5")).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

func TestS52_ChoicesAreTheSame(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		figures(ctx, t, db)
		same(ctx, t, db, func(r *Figure) int64 { return r.ID }, []computed[Figure]{
			{"text", query.Case().When(F("m").Gt(0), "up").When(F("m").Lt(0), "down").Else("level"), func(r *Figure) any {
				switch {
				case r.M != nil && *r.M > 0:
					return "up"
				case r.M != nil && *r.M < 0:
					return "down"
				}
				return "level"
			}},
			{"without Else", query.Case().When(F("m").Ne(0), F("m")), func(r *Figure) any {
				if r.M != nil && *r.M != 0 {
					return *r.M
				}
				return nil
			}},
			{"a number wider than its column", query.Case().When(F("n").Gt(0), F("i")).Else(int64(math.MaxInt64)), func(r *Figure) any {
				if r.N > 0 {
					return int64(r.I)
				}
				return int64(math.MaxInt64)
			}},
			{"a fraction beside whole numbers", query.Case().When(F("n").Gt(0), 0.5).Else(F("i")), func(r *Figure) any {
				if r.N > 0 {
					return 0.5
				}
				return float64(r.I)
			}},
			{"times", query.Case().When(F("n").Gt(0), start).Else(start.Add(1000)), func(r *Figure) any {
				if r.N > 0 {
					return start
				}
				return start.Add(1000)
			}},
			{"calculated with", query.Case().When(F("n").Gt(0), 10).Else(F("i")).Add(1), func(r *Figure) any {
				if r.N > 0 {
					return 11
				}
				return int64(r.I) + 1
			}},
			{"NullIf", query.NullIf(F("i"), 7), func(r *Figure) any {
				if r.I == 7 {
					return nil
				}
				return r.I
			}},
			{"NullIf of NULL", query.NullIf(F("n"), F("m")), func(r *Figure) any {
				if r.M != nil && *r.M == r.N {
					return nil
				}
				return r.N
			}},
			{"Greatest", query.Greatest(F("n"), F("m"), 5), func(r *Figure) any {
				return orNull(r.M, func(m int64) int64 { return max(r.N, m, 5) })
			}},
			{"Least", query.Least(F("m"), F("n")), func(r *Figure) any { return orNull(r.M, func(m int64) int64 { return min(r.N, m) }) }},
			{"Least of more kinds", query.Least(F("i"), F("f"), 0.25), func(r *Figure) any { return min(float64(r.I), r.F, 0.25) }},
			{"Greatest of values", query.Greatest(1, query.Value(3), 2), func(*Figure) any { return 3 }},
		})
	})
}

func TestS52_ValuesOfOtherClassesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		var value *query.ValueError
		for name, e := range map[string]query.Expr{
			"text beside numbers": query.Case().When(F("id").Gt(0), F("index")).Else("none"), "numbers beside text": query.Case().When(F("id").Gt(0), 1).Else(F("text")),
			"another column": query.Greatest(F("index"), F("text")), "nothing": query.Least(F("index"), nil), "no order": query.Greatest(F("is_audio_required"), true),
			"text as a number": query.NullIf(F("index"), "1"),
		} {
			_, err := orm.Objects[Audio](db).Filter(e.IsNull()).Count(ctx)
			require.ErrorAs(t, err, &value, name)
		}
		_, err := orm.Objects[Audio](db).Filter(query.Case().Eq(1)).Count(ctx)
		require.ErrorContains(t, err, "has no When")
		_, err = orm.Objects[Audio](db).Filter(query.Case().When(nil, 1).Eq(1)).Count(ctx)
		require.ErrorContains(t, err, "nil")
	})
}
