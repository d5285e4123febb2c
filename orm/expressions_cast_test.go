package orm_test

import (
	"context"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestS55_CastsAreTheSame(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		figures(ctx, t, db)
		moments(ctx, t, db)
		whole := func(f float64) any {
			if f < -(1<<63) || f >= 1<<63 {
				return nil
			}
			return int64(f)
		}
		same(ctx, t, db, func(r *Figure) int64 { return r.ID }, []computed[Figure]{
			{"whole", query.Cast[int64](F("i")), func(r *Figure) any { return r.I }},
			{"wider", query.Cast[int](F("i")).Mul(1 << 40), func(r *Figure) any { return int64(r.I) << 40 }},
			{"of a fraction", query.Cast[int64](F("f")), func(r *Figure) any { return whole(r.F) }},
			{"of a fraction or NULL", query.Cast[int64](F("g")), func(r *Figure) any { return orNull(r.G, whole) }},
			{"divided as whole numbers", query.Cast[int64](F("g")).Div(2), func(r *Figure) any {
				return orNull(r.G, func(g float64) any {
					if n, ok := whole(g).(int64); ok {
						return n / 2
					}
					return nil
				})
			}},
			{"rounded", query.Cast[int64](query.Round(F("f"), 0)), func(r *Figure) any { return whole(roundTo(r.F, 0)) }},
			{"the least", query.Cast[int64](query.Value(-0x1p63)), func(*Figure) any { return int64(math.MinInt64) }},
			{"beyond", query.Cast[int64](query.Value(0x1p63)), func(*Figure) any { return nil }},
			{"floating", query.Cast[float64](F("i")).Div(8), func(r *Figure) any { return float64(r.I) / 8 }},
			{"a floating-point number stays", query.Cast[float64](F("f")), func(r *Figure) any { return r.F }},
			{"text", query.Concat(query.Cast[string](F("n")), "/", query.Cast[string](F("i"))), func(r *Figure) any {
				return strconv.FormatInt(r.N, 10) + "/" + strconv.Itoa(int(r.I))
			}},
			{"text or NULL", query.Cast[string](F("m")), func(r *Figure) any { return orNull(r.M, func(m int64) string { return strconv.FormatInt(m, 10) }) }},
			{"a condition", query.Cast[int64](query.Raw("?", F("i"))).Div(2), func(r *Figure) any { return int64(r.I) / 2 }},
			{"Raw as a text", query.Length(query.Cast[string](query.Raw("?", F("i")))), func(r *Figure) any { return len(strconv.Itoa(int(r.I))) }},
			{"Raw as a fraction", query.Round(query.Cast[float64](query.Raw("?", F("f"))), 1), func(r *Figure) any { return roundTo(r.F, 1) }},
		})
		same(ctx, t, db, func(r *Moment) int64 { return r.ID }, []computed[Moment]{
			{"day", query.Cast[models.Date](F("at")), func(r *Moment) any { return models.DateOf(r.At) }},
			{"day or NULL", query.Cast[models.Date](F("until")), func(r *Moment) any { return orNull(r.Until, models.DateOf) }},
			{"time", query.Cast[time.Time](F("day")), func(r *Moment) any { return r.Day.In(time.UTC) }},
			{"moved", query.Cast[time.Time](F("off")).Add(time.Hour), func(r *Moment) any {
				return orNull(r.Off, func(d models.Date) time.Time { return d.In(time.UTC).Add(time.Hour) })
			}},
			{"text", query.Cast[string](F("day")), func(r *Moment) any { return r.Day.String() }},
			{"text or NULL", query.Cast[string](F("off")), func(r *Moment) any { return orNull(r.Off, models.Date.String) }},
		})
		n, err := orm.Objects[Audio](db).Filter(query.Cast[int64](F("is_audio_required")).Eq(1)).Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		rows, err := orm.Objects[Moment](db).OrderBy("id").All(ctx)
		require.NoError(t, err)
		days, err := orm.Select[string](ctx, orm.Objects[Moment](db).OrderBy("id"), query.Cast[string](F("day")).As("written"))
		require.NoError(t, err)
		for i, row := range rows {
			require.Equal(t, row.Day.String(), days[i])
		}
	})
}

type Receipt struct {
	models.AutoID
	Amount string `bun:"type:decimal(10,2)"`
}

func TestS55_CastsOfDecimals(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Receipt)(nil)))
		require.NoError(t, orm.Objects[Receipt](db).Create(ctx, &Receipt{Amount: "-12.50"}))
		n, err := orm.Objects[Receipt](db).Filter(query.Cast[string](F("amount")).Eq("-12.50")).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		n, err = orm.Objects[Receipt](db).Filter(query.Cast[int64](F("amount")).Eq(-12), query.Cast[float64](F("amount")).Eq(-12.5)).Count(ctx)
		if db.Server().Engine == dialect.SQLite {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			return
		}
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

func TestS55_WhatIsNotCast(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Moment)(nil), (*Figure)(nil)))
		var value *query.ValueError
		for name, e := range map[string]query.Expr{
			"a text": query.Cast[int64](F("text")), "a time": query.Cast[string](F("at")), "a number": query.Cast[time.Time](F("id")), "a narrow one": query.Cast[int16](F("id")),
			"a struct": query.Cast[Moment](F("id")), "bytes": query.Cast[[]byte](F("text")), "a boolean": query.Cast[bool](F("id")), "a sign": query.Cast[uint64](F("id")),
		} {
			_, err := orm.Objects[Moment](db).Filter(e.IsNull()).Count(ctx)
			require.ErrorAs(t, err, &value, name)
		}
		_, err := orm.Objects[Figure](db).Filter(query.Cast[string](F("f")).IsNull()).Count(ctx)
		require.ErrorAs(t, err, &value)
		_, err = orm.Objects[Figure](db).Filter(query.Cast[string](nil).IsNull()).Count(ctx)
		require.ErrorContains(t, err, "is empty")
	})
}
