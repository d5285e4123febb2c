package orm_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// permille is a decimal number that reads and says itself as a text.
type permille struct{ of big.Rat }

func (p permille) Value() (driver.Value, error) {
	places, _ := p.of.FloatPrec()
	return p.of.FloatString(places), nil
}

func (p *permille) Scan(src any) error {
	var s sql.NullString
	if err := s.Scan(src); err != nil {
		return err
	}
	if _, ok := p.of.SetString(s.String); !ok {
		return fmt.Errorf("%q is no number", s.String)
	}
	return nil
}

func permilleOf(t *testing.T, text string) (p permille) {
	t.Helper()
	require.NoError(t, p.Scan(text))
	return p
}

// clockTime is a time of day.
type clockTime string

func (c clockTime) Value() (driver.Value, error) { return string(c), nil }

// Instalment has a column of each kind whose values are texts for a driver, or may be.
type Instalment struct {
	bun.BaseModel `bun:"table:instalments"`
	models.AutoID
	Due    *time.Time
	Day    models.Date
	Opens  *clockTime `bun:"type:time"`
	Fee    *string    `bun:"type:decimal(10,2)"`
	Rate   permille   `bun:"type:decimal(8,4)"`
	Owner  uuid.UUID
	Holder uuid.UUID `bun:"type:char(36)"`
}

var (
	someday  = models.Date{Year: 2026, Month: 1, Day: 31}
	someone  = uuid.MustParse("0b0e3c1c-7f3b-4b5e-9d5f-0d7a3f6a1c11")
	somebody = uuid.MustParse("f1a64d0a-52f5-4c26-8d0c-6b8f4e2d9a22")
)

func instalments(ctx context.Context, t *testing.T, db *orm.DB) orm.QuerySet[Instalment] {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*Instalment)(nil)))
	all := orm.Objects[Instalment](db)
	later, noon, fee := start.Add(time.Hour), clockTime("12:00:00"), "0.50"
	require.NoError(t, all.BulkCreate(ctx, []*Instalment{
		{Rate: permilleOf(t, "0.015"), Owner: someone, Holder: someone},
		{Due: &start, Day: someday, Opens: &noon, Fee: &fee, Rate: permilleOf(t, "0.02"), Owner: somebody, Holder: somebody},
		{Due: &later, Day: someday.AddDays(1), Opens: &noon, Fee: &fee, Rate: permilleOf(t, "2"), Owner: someone, Holder: somebody},
	}))
	return all
}

// A time that is bound is a text on MySQL and MariaDB where no column tells what it is.
func TestS10_TimesInsteadOfNull(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := instalments(ctx, t, db)
		later := start.Add(time.Hour)
		for name, c := range map[string]struct {
			of           query.Expr
			low, high, x any // low two times, high once, x behind
		}{
			"a time":              {query.Coalesce(F("due"), query.Value(start)), start, later, later.Add(time.Microsecond)},
			"a time in front":     {query.Coalesce(query.Value(nil), F("due"), query.Value(start)), start, later, later.Add(time.Microsecond)},
			"a chosen time":       {query.Case().When(F("due").IsNull(), start).Else(F("due")), start, later, later.Add(time.Microsecond)},
			"times by themselves": {query.Case().When(F("day").Eq(someday.AddDays(1)), later).Else(start), start, later, later.Add(time.Microsecond)},
			"a day":               {query.Coalesce(F("day"), query.Value(someday)), someday, someday.AddDays(1), someday.AddDays(2)},
			"days by themselves":  {query.Case().When(F("due").Eq(later), someday.AddDays(1)).Else(someday), someday, someday.AddDays(1), someday.AddDays(2)},
		} {
			for i, cond := range []struct {
				of   query.Cond
				want int64
			}{
				{c.of.Eq(c.low), 2}, {c.of.Eq(c.high), 1}, {c.of.Ne(c.low), 1}, {c.of.Le(c.low), 2}, {c.of.Lt(c.high), 2}, {c.of.Ge(c.high), 1}, {c.of.Gt(c.low), 1},
				{c.of.In(c.low, c.x), 2}, {c.of.NotIn(c.low, c.x), 1}, {c.of.Lt(c.x), 3}, {query.Value(c.low).Eq(c.of), 2}, {c.of.Ge(query.Greatest(c.low, c.high)), 1},
			} {
				n, err := all.Filter(cond.of).Count(ctx)
				require.NoError(t, err, "%s: %d", name, i)
				require.Equal(t, cond.want, n, "%s: %d", name, i)
			}
			n, err := orm.Aggregate[int64](ctx, all, query.CountDistinct(c.of))
			require.NoError(t, err, name)
			require.EqualValues(t, 2, n, name)
			put := query.Select(all, c.of.As("at"))
			groups, err := orm.Select[int64](ctx, put.GroupBy("at").OrderBy("at"), query.Count())
			require.NoError(t, err, name)
			require.Equal(t, []int64{2, 1}, groups, name)
			both, err := orm.Select[int64](ctx, query.Union(put, query.Select(all, query.Value(c.low).As("at"))).Filter(F("at").Eq(c.low)), query.Count())
			require.NoError(t, err, name)
			require.Equal(t, []int64{1}, both, name)
		}
		opens := query.Coalesce(F("opens"), query.Value(clockTime("12:00:00")))
		n, err := orm.Aggregate[int64](ctx, all, query.CountDistinct(opens))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		n, err = all.Filter(opens.Eq(clockTime("12:00:00.0")), query.Coalesce(F("opens"), query.Value(clockTime("11:59:59.5"))).Gt(clockTime("11:59:59.25"))).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		texts, err := orm.Select[string](ctx, all, opens)
		require.NoError(t, err)
		require.Equal(t, []string{"12:00:00", "12:00:00", "12:00:00"}, texts)
	})
}

// A Go value by itself is of the class of its Go type, also where it is bound as a text.
func TestS10_ValuesByThemselvesAreOfTheirGoTypes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := instalments(ctx, t, db)
		second := all.Filter(F("day").Eq(someday))
		kept := func() Instalment {
			t.Helper()
			row, err := second.Get(ctx)
			require.NoError(t, err)
			return *row
		}
		own := query.Case().When(F("day").IsNull(), someone)
		_, err := second.Update(ctx, query.Set("owner", own.Else(someone)), query.Set("holder", own.Else(someone)))
		require.NoError(t, err)
		require.Equal(t, someone, kept().Owner)
		require.Equal(t, someone, kept().Holder, "a UUID in a column of texts")
		n, err := all.Filter(F("holder").Eq(own.Else(somebody)), F("owner").Eq(own.Else(someone))).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		texts, err := orm.Select[string](ctx, second, query.Concat("<", own.Else(someone), ">"))
		require.NoError(t, err)
		require.Equal(t, []string{"<" + someone.String() + ">"}, texts)
		texts, err = orm.Select[string](ctx, second, query.Cast[string](query.Value(someone)))
		require.NoError(t, err)
		require.Equal(t, []string{someone.String()}, texts)
		owners, err := orm.Select[uuid.UUID](ctx, query.Union(query.Select(all, query.Value(someone).As("owner")), query.Select(all, F("owner"))))
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{someone}, owners)

		days, err := orm.Select[models.Date](ctx, query.Union(query.Select(second, query.Value(someday).As("day")), query.Select(all.Filter(F("day").IsNotNull()), F("day"))).OrderBy("day"))
		require.NoError(t, err)
		require.Equal(t, []models.Date{someday, someday.AddDays(1)}, days)
		rows, err := orm.Select[struct {
			AsOf models.Date
			N    int64
		}](ctx, all.GroupBy("day").Filter(F("day").Eq(someday)), query.Value(someday).As("as_of"), query.Count().As("n"))
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Equal(t, someday, rows[0].AsOf)
		week := query.Recursive("days", query.Select(second, query.Value(someday).As("day")), func(self query.Selection) query.Query {
			return query.Select(self.Filter(F("day").Lt(someday.AddDays(6))), query.Shift(F("day"), 1, query.Days).As("day"))
		})
		days, err = orm.Select[models.Date](ctx, week.OrderBy("day"))
		require.NoError(t, err)
		require.Len(t, days, 7)
		require.Equal(t, someday.AddDays(6), days[6])

		rate := query.Case().When(F("day").Eq(someday), permilleOf(t, "0.0150")).Else(permilleOf(t, "0.02"))
		read, err := orm.Select[permille](ctx, second, rate)
		require.NoError(t, err)
		require.Equal(t, permilleOf(t, "0.015"), read[0])
		n, err = all.Filter(rate.Eq(permilleOf(t, "0.02"))).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		n, err = all.Filter(rate.Lt("0.016"), query.Case().When(F("day").Eq(someday), permilleOf(t, "1.5")).Else(0).Gt(big.NewRat(5, 4))).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		if db.Server().Engine == dialect.SQLite {
			for _, e := range []query.Expr{rate.Mul(2), query.Value(permilleOf(t, "0.5")).Add(F("rate")), query.Case().When(F("day").IsNull(), F("rate")).Else(permilleOf(t, "0.00001"))} {
				_, err = orm.Select[permille](ctx, all, e)
				require.ErrorIs(t, err, dialect.ErrUnsupported)
			}
			return
		}
		_, err = second.Update(ctx, query.Set("rate", rate))
		require.NoError(t, err)
		require.Equal(t, permilleOf(t, "0.015"), kept().Rate)
		for _, e := range []query.Expr{rate.Mul(2), query.Value(permilleOf(t, "0.03")).Sub(F("rate")).Mul(2), F("fee").Mul(permilleOf(t, "0.06")), F("fee").Mul(query.Value(big.NewRat(6, 100)))} {
			read, err = orm.Select[permille](ctx, second, e)
			require.NoError(t, err)
			require.Equal(t, permilleOf(t, "0.03"), read[0])
		}
	})
}

// SQLite keeps decimal numbers as texts, all of a column with as many places.
func TestS20_DecimalsInsteadOfNull(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := instalments(ctx, t, db)
		for name, nothing := range map[string]any{"a text": "0", "a whole number": 0, "a decimal number": permilleOf(t, "0.0"), "a fraction": new(big.Rat)} {
			fee := query.Coalesce(F("fee"), query.Value(nothing))
			for i, c := range []struct {
				of   query.Cond
				want int64
			}{{fee.Eq("0"), 1}, {fee.Eq("0.5"), 2}, {fee.Lt("0.505"), 3}, {fee.Ne("0.00"), 2}, {fee.In("0", "7"), 1}} {
				n, err := all.Filter(c.of).Count(ctx)
				require.NoError(t, err, "%s: %d", name, i)
				require.Equal(t, c.want, n, "%s: %d", name, i)
			}
			n, err := orm.Aggregate[int64](ctx, all, query.CountDistinct(fee))
			require.NoError(t, err, name)
			require.EqualValues(t, 2, n, name)
		}
		if db.Server().Engine != dialect.SQLite {
			return
		}
		for _, e := range []query.Expr{
			query.Coalesce(F("fee"), query.Value("0.005")), query.Case().When(F("id").Gt(0), F("fee")).Else("0.005"),
			query.Coalesce(F("fee"), F("rate")), query.Coalesce(F("fee"), F("id")),
		} {
			_, err := all.Filter(e.Lt("0.501")).Count(ctx)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		}
	})
}
