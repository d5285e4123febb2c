package orm_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Of what kind a result is hangs on the type of a value, and not on the value.
func TestS50_AFloatMakesFloats(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 3)
		audio := orm.Objects[Audio](db)
		for name, c := range map[string]struct {
			expr query.Expr
			want []float64
		}{
			"Add": {F("index").Add(1.0), []float64{1, 2, 3}}, "Sub": {F("index").Sub(1.0), []float64{-1, 0, 1}}, "Mul": {F("index").Mul(2.0), []float64{0, 2, 4}},
			"Div of it": {F("index").Add(1.0).Div(2), []float64{0.5, 1, 1.5}}, "a Value": {F("index").Mul(query.Value(2.0)), []float64{0, 2, 4}},
		} {
			got, err := orm.Select[float64](ctx, audio.OrderBy("id"), c.expr)
			require.NoError(t, err, name)
			require.Equal(t, c.want, got, name)
			var value *query.ValueError
			_, err = audio.Update(ctx, query.Set("index", c.expr))
			require.ErrorAs(t, err, &value, name)
			n, err := audio.Update(ctx, query.Set("speed", c.expr))
			require.NoError(t, err, name)
			require.EqualValues(t, len(rows), n)
		}
		for _, divisor := range []any{2.0, 2.5, query.Value(2.0)} {
			var value *query.ValueError
			_, err := audio.Filter(F("index").Mod(divisor).Eq(0)).Count(ctx)
			require.ErrorAs(t, err, &value)
		}
		_, err := audio.Update(ctx, query.Set("index", F("index").Add(1).Mul(2).Sub(query.Value(1))))
		require.NoError(t, err)
		whole, err := orm.Select[int64](ctx, audio.OrderBy("id"), F("index").Mod(2))
		require.NoError(t, err)
		require.Equal(t, []int64{1, 1, 1}, whole)
	})
}

// A sum of whole numbers is a decimal on most engines, and beside a float it is a float
// on all of them: SQLite has no decimals, and would be the only one to divide it so.
func TestS50_AFloatMakesFloatsOfSums(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		groups := query.Select(audio.GroupBy("user_id"), F("user_id"), query.Sum(F("index")).As("n")) // 7: 6, 8: 9, 9: 6
		all := query.Sum(F("n")).Over(query.Partition())
		for name, c := range map[string]struct {
			q    query.Query
			expr query.Expr
			want []float64
		}{
			"Mul":          {groups, F("n").Mul(1.0).Div(4), []float64{1.5, 2.25, 1.5}},
			"Add":          {groups, F("n").Add(1.0).Div(4), []float64{1.75, 2.5, 1.75}},
			"Sub":          {groups, F("n").Neg().Sub(1.0).Div(4), []float64{-1.75, -2.5, -1.75}},
			"of a sum":     {groups, F("n").Add(F("n")).Mul(query.Value(1.0)).Div(8), []float64{1.5, 2.25, 1.5}},
			"of a window":  {groups, F("n").Mul(100.0).Div(all.Add(F("user_id")).Sub(F("user_id"))), []float64{600. / 21, 900. / 21, 600. / 21}},
			"rounded":      {groups, query.Round(F("n").Mul(100.0).Div(all), 1), []float64{28.6, 42.9, 28.6}},
			"Coalesce":     {groups, query.Coalesce(F("n"), query.Value(0)).Mul(1.0).Div(4), []float64{1.5, 2.25, 1.5}},
			"a fraction":   {groups, query.Coalesce(F("n"), query.Value(0.5)).Div(4), []float64{1.5, 2.25, 1.5}},
			"Greatest":     {groups, query.Greatest(F("n"), 2.0).Div(4), []float64{1.5, 2.25, 1.5}},
			"Case":         {groups, query.Case().When(F("user_id").Ne(8), F("n")).Else(1.0).Div(4), []float64{1.5, 0.25, 1.5}},
			"in its query": {audio.GroupBy("user_id"), query.Sum(F("index")).Mul(1.0).Div(4), []float64{1.5, 2.25, 1.5}},
		} {
			value := query.Select(c.q, F("user_id"), c.expr.As("value")).OrderBy("user_id")
			got, err := orm.Select[float64](ctx, query.Select(value, F("value")).OrderBy("user_id"))
			require.NoError(t, err, name)
			require.InDeltaSlice(t, c.want, got, 1e-12, name)
		}
		n, err := orm.Select[int64](ctx, groups.Filter(F("n").Mul(1.0).Div(4).Gt(1.25)).OrderBy("user_id"), F("user_id"))
		require.NoError(t, err)
		require.Equal(t, []int64{7, 8, 9}, n)
		n, err = orm.Select[int64](ctx, audio.GroupBy("user_id").Having(query.Sum(F("index")).Mul(1.0).Div(4).Gt(1.25)).OrderBy("user_id"), F("user_id"))
		require.NoError(t, err)
		require.Equal(t, []int64{7, 8, 9}, n)
	})
}

// What may be a float is divided as one also where it is whole, and by a server that
// takes 2.0 for a whole number.
func TestS50_WhatMayBeAFloatIsDividedAsOne(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 4)
		audio := orm.Objects[Audio](db)
		third := F("index").Eq(3)
		constants := query.Select(audio, F("index"), query.Value(1.0).As("one"), query.Value(7.0).As("seven"))
		for name, c := range map[string]struct {
			q    query.Query
			expr query.Expr
			want []float64
		}{
			"Coalesce":            {audio, query.Coalesce(F("index"), query.Value(0.5)).Div(7), []float64{0, 1. / 7, 2. / 7, 3. / 7}},
			"Coalesce of columns": {audio, query.Coalesce(F("index"), F("speed")).Div(7), []float64{0, 1. / 7, 2. / 7, 3. / 7}},
			"Case":                {audio, query.Case().When(third, F("index")).Else(2.0).Div(7), []float64{2. / 7, 2. / 7, 2. / 7, 3. / 7}},
			"Case of constants":   {audio, query.Case().When(third, 1.0).Else(2.0).Div(7), []float64{2. / 7, 2. / 7, 2. / 7, 1. / 7}},
			"Case by Case":        {audio, query.Case().When(third, 1.0).Else(2.0).Div(query.Case().When(third, 7.0).Else(3.0)), []float64{2. / 3, 2. / 3, 2. / 3, 1. / 7}},
			"the mean of Case":    {audio.GroupBy("index"), query.Avg(query.Case().When(third, 1.0).Else(0.0)).Div(7), []float64{0, 0, 0, 1. / 7}},
			"Value":               {audio, query.Value(1.0).Div(7.0), []float64{1. / 7, 1. / 7, 1. / 7, 1. / 7}},
			"outputs":             {constants, F("one").Div(F("seven")), []float64{1. / 7, 1. / 7, 1. / 7, 1. / 7}},
			"Greatest":            {audio, query.Greatest(query.Value(1.0), 0.0).Div(7), []float64{1. / 7, 1. / 7, 1. / 7, 1. / 7}},
		} {
			value := query.Select(c.q, F("index"), c.expr.As("value"))
			got, err := orm.Select[float64](ctx, query.Select(value, F("value")).OrderBy("index"))
			require.NoError(t, err, name)
			require.InDeltaSlice(t, c.want, got, 1e-12, name)
		}
	})
}

// A sum of whole numbers is a decimal on most engines, and has no fraction.
func TestS11_ASumOfWholeNumbersIsOne(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		sum := query.Select(audio, query.Sum(F("index"))).Expr() // 21
		one := audio.Filter(F("index").Eq(6))
		for _, c := range []struct {
			value query.Expr
			want  int64
		}{{sum, 21}, {query.Coalesce(sum, query.Value(0)).Mul(2).Sub(15), 57}, {F("index").Add(sum), 129}} {
			n, err := one.Update(ctx, query.Set("index", c.value))
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
			one = audio.Filter(F("index").Eq(c.want))
			found, err := one.Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 1, found, c.want)
		}
		n, err := audio.Filter(F("index").Eq(5)).Update(ctx, query.Set("index", math.MaxInt64))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		_, err = one.Update(ctx, query.Set("index", sum))
		require.Error(t, err, "it has more than 64 bits")
		found, err := one.Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, found)
	})
}

// PostgreSQL makes a bigint of a sum of narrow numbers, beside which no fraction can stand.
func TestS10_ASumOfNarrowNumbersStandsBesideAnyNumber(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		type narrow struct {
			models.AutoID
			Kind int64
			N    int16
		}
		require.NoError(t, orm.CreateTables(ctx, db, (*narrow)(nil)))
		rows := orm.Objects[narrow](db)
		require.NoError(t, rows.BulkCreate(ctx, []*narrow{{Kind: 1, N: 2}, {Kind: 1, N: 3}, {Kind: 2, N: 4}}))
		groups := query.Select(rows.GroupBy("kind"), F("kind"), query.Sum(F("n")).As("s"))
		for i, c := range []struct {
			cond query.Cond
			want []int64
		}{
			{F("s").Eq(2.5), []int64{}}, {F("s").In(1.5, 5, 2), []int64{1}}, {F("s").Gt(4.5), []int64{1}}, {F("s").Ne(4.5), []int64{1, 2}},
			{F("s").Add(0.5).Eq(5.5), []int64{1}}, {F("s").Div(2).Eq(2), []int64{1, 2}}, {F("s").Mul(2).Mod(8).Eq(2), []int64{1}},
		} {
			got, err := orm.Select[int64](ctx, groups.Filter(c.cond).OrderBy("kind"), F("kind"))
			require.NoError(t, err, i)
			require.Equal(t, c.want, got, i)
		}
		got, err := orm.Select[int64](ctx, rows.GroupBy("kind").Having(query.Sum(F("n")).Eq(2.5)), F("kind"))
		require.NoError(t, err)
		require.Empty(t, got)
		running, err := orm.Select[int64](ctx, rows.OrderBy("id"), query.Sum(F("n")).Over(query.Partition().OrderBy("id").Rows(query.Unbounded, 0)).As("running"))
		require.NoError(t, err)
		require.Equal(t, []int64{2, 5, 9}, running)
	})
}
