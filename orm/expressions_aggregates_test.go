package orm_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestS57_NullsStandWhereTheyAreTold(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		figures(ctx, t, db)
		all := orm.Objects[Figure](db)
		rows, err := all.OrderBy("id").All(ctx)
		require.NoError(t, err)
		m := F("m")
		for name, c := range map[string]struct {
			order query.Order
			desc  bool
			first bool
		}{
			"asc": {m.Asc(), false, true}, "asc first": {m.Asc().NullsFirst(), false, true}, "asc last": {m.Asc().NullsLast(), false, false},
			"desc": {m.Desc(), true, false}, "desc first": {m.Desc().NullsFirst(), true, true}, "desc last": {m.Desc().NullsLast(), true, false},
			"calculated": {m.Add(m).Desc().NullsFirst(), true, true}, "bound": {query.Coalesce(m, query.NullIf(F("i"), F("i"))).Asc().NullsLast(), false, false},
			"never NULL": {F("n").Asc().NullsLast(), false, false},
		} {
			get := func(r *Figure) *int64 { return r.M }
			if name == "never NULL" {
				get = func(r *Figure) *int64 { return &r.N }
			}
			want := slices.Clone(rows)
			slices.SortStableFunc(want, func(a, b *Figure) int {
				x, y := get(a), get(b)
				switch {
				case x == nil && y == nil:
					return 0
				case x == nil || y == nil:
					if (x == nil) == c.first {
						return -1
					}
					return 1
				case c.desc:
					return cmp.Compare(*y, *x)
				}
				return cmp.Compare(*x, *y)
			})
			got, err := all.OrderByExpr(c.order, F("id").Asc()).All(ctx)
			require.NoError(t, err, name)
			require.Equal(t, want, got, name)
		}
	})
}

func TestS56_AggregatesOfSomeRows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, _ = studio(ctx, t, db, 10)
		all := orm.Objects[Audio](db)
		number := func(e query.Operand) *int64 {
			n, err := orm.Aggregate[*int64](ctx, all, e)
			require.NoError(t, err)
			return n
		}
		late, never := F("index").Ge(6), F("index").Lt(0)
		require.EqualValues(t, 4, *number(query.Count().Where(late)))
		require.EqualValues(t, 2, *number(query.Count().Where(late, F("is_audio_required").Eq(true))))
		require.EqualValues(t, 2, *number(query.Count().Where(late).Where(F("is_audio_required").Eq(true))))
		require.EqualValues(t, 0, *number(query.Count().Where(never)))
		require.EqualValues(t, 30, *number(query.Sum(F("index")).Where(late)))
		require.Nil(t, number(query.Sum(F("index")).Where(never)))
		require.EqualValues(t, 6, *number(query.Min(F("index")).Where(late)))
		require.EqualValues(t, 5, *number(query.Max(F("index")).Where(query.Not(late))))
		require.EqualValues(t, 3, *number(query.Sum(F("index").Mod(3)).Distinct()))
		require.EqualValues(t, 2, *number(query.Count(F("index").Mod(2)).Distinct().Where(late)))
		require.EqualValues(t, 5, *number(query.Sum(F("index")).Div(query.Count()).Add(1)))
		require.EqualValues(t, 11, *number(query.Count().Add(1)))
		mean, err := orm.Aggregate[float64](ctx, all, query.Avg(F("index")).Where(late))
		require.NoError(t, err)
		require.InDelta(t, 7.5, mean, 0)
		for _, e := range []query.AggregateExpr{query.Count().Distinct(), query.StringAgg(F("text"), ",").Distinct(), {}, query.AggregateExpr{}.Distinct()} {
			_, err := orm.Aggregate[*string](ctx, all, e)
			require.Error(t, err)
		}
	})
}

func TestS56_TextsOfManyRows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 300)
		all := orm.Objects[Audio](db)
		for _, separator := range []string{"", ", ", "😀'", `\"`} {
			var texts []string
			for _, row := range slices.Backward(rows) {
				texts = append(texts, row.Text)
			}
			got, err := orm.Aggregate[string](ctx, all, query.StringAgg(F("text"), separator, F("index").Desc()))
			require.NoError(t, err)
			require.Equal(t, strings.Join(texts, separator), got, "nothing is cut off")
		}
		none, err := orm.Aggregate[*string](ctx, all, query.StringAgg(F("path"), ","))
		require.NoError(t, err)
		require.Nil(t, none)
		one, err := orm.Aggregate[string](ctx, all, query.StringAgg(F("text"), "-", F("index").Asc()).Where(F("index").Lt(2)))
		require.NoError(t, err)
		require.Equal(t, "line 0-line 1", one)
		var value *query.ValueError
		_, err = orm.Aggregate[string](ctx, all, query.StringAgg(F("index"), "-"))
		require.ErrorAs(t, err, &value)
	})
}

// GROUP_CONCAT of MySQL and MariaDB sorts NULL as a zero, or as an empty text.
func TestS56_TextsInAnOrderWithNull(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		figures(ctx, t, db)
		size := query.Case().When(F("m").Lt(0), "").When(F("m").Gt(0), "b").Else(query.Cast[string](F("m")))
		some := orm.Objects[Figure](db).Filter(F("id").Le(9))
		id := query.Cast[string](F("id"))
		for name, orders := range map[string][]query.Order{
			"numbers": {F("m").Asc(), F("id").Asc()}, "descending": {F("m").Desc(), F("id").Asc()},
			"where they are told": {F("m").Asc().NullsLast(), F("id").Asc()}, "told otherwise": {F("m").Desc().NullsFirst(), F("id").Asc()},
			"floats": {F("g").Asc(), F("id").Asc()}, "calculated": {F("m").Neg().Desc(), F("id").Asc()},
			"texts": {query.NullIf(size, "0").Asc(), F("id").Desc()}, "texts descending": {query.NullIf(size, "0").Desc(), F("id").Asc()},
		} {
			ids, err := orm.Select[string](ctx, some.OrderByExpr(orders...), id.As("text"))
			require.NoError(t, err, name)
			got, err := orm.Aggregate[string](ctx, some, query.StringAgg(id, ",", orders...))
			require.NoError(t, err, name)
			require.Equal(t, strings.Join(ids, ","), got, name)
		}
	})
}
