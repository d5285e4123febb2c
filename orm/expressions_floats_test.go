package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

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
