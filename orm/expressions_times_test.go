package orm_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Moment struct {
	models.AutoID
	At    time.Time
	Until *time.Time
	Day   models.Date
	Off   *models.Date
	Text  string
}

// moments are what servers take for others: the ends of years and of their weeks,
// leap days, and the last microsecond of all that.
func moments(ctx context.Context, t *testing.T, db *orm.DB) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*Moment)(nil)))
	var rows []*Moment
	for i, s := range []string{
		"0001-01-01T00:00:00.000001Z", "1000-02-28T23:59:59.999999Z", "1582-10-10T12:00:00Z", "1899-12-31T23:59:59.5Z", "1900-02-28T01:02:03Z", "1969-12-31T23:59:59.999999Z",
		"1970-01-01T00:00:00Z", "2000-02-29T13:14:15.161718Z", "2004-12-31T23:00:00Z", "2005-01-01T00:59:59.999Z", "2005-01-02T10:00:00Z", "2008-12-29T00:00:00.000001Z", "2009-12-31T23:59:59.9996Z",
		"2010-01-03T08:00:00Z", "2012-12-31T00:00:00Z", "2020-12-31T23:59:00Z", "2021-01-03T11:11:11Z", "2024-02-29T23:30:00Z", "2026-03-29T02:30:00Z", "2026-10-31T05:06:07.000009Z", "9999-12-31T23:59:59.999999Z",
	} {
		at, err := time.Parse(time.RFC3339Nano, s)
		require.NoError(t, err)
		row := &Moment{At: at, Day: models.DateOf(at)}
		if i%3 != 2 {
			later := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Duration(i) * 1_234_567_891 * time.Microsecond)
			off := models.DateOf(later)
			row.Until, row.Off = &later, &off
		}
		rows = append(rows, row)
	}
	require.NoError(t, orm.Objects[Moment](db).BulkCreate(ctx, rows))
}

func TestS54_PartsOfTimesAreTheSame(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		moments(ctx, t, db)
		var list []computed[Moment]
		for _, part := range []struct {
			name string
			of   func(query.Operand) query.Expr
			want func(time.Time) int
			day  bool
		}{
			{"Year", query.Year, time.Time.Year, true},
			{"Month", query.Month, func(t time.Time) int { return int(t.Month()) }, true},
			{"Day", query.Day, time.Time.Day, true},
			{"Hour", query.Hour, time.Time.Hour, false},
			{"Minute", query.Minute, time.Time.Minute, false},
			{"Second", query.Second, time.Time.Second, false},
			{"Weekday", query.Weekday, func(t time.Time) int { return int(t.Weekday()) }, true},
			{"YearDay", query.YearDay, time.Time.YearDay, true},
			{"ISOWeek", query.ISOWeek, func(t time.Time) int { _, week := t.ISOWeek(); return week }, true},
			{"ISOYear", query.ISOYear, func(t time.Time) int { year, _ := t.ISOWeek(); return year }, true},
		} {
			list = append(list,
				computed[Moment]{part.name, part.of(F("at")), func(r *Moment) any { return part.want(r.At) }},
				computed[Moment]{part.name + " or NULL", part.of(F("until")), func(r *Moment) any {
					return orNull(r.Until, part.want)
				}},
				computed[Moment]{part.name + " calculated with", part.of(F("at")).Mul(10), func(r *Moment) any { return 10 * part.want(r.At) }},
				computed[Moment]{part.name + " of a value", part.of(query.Value(start)), func(*Moment) any { return part.want(start) }})
			if !part.day {
				continue
			}
			list = append(list,
				computed[Moment]{part.name + " of a day", part.of(F("day")), func(r *Moment) any { return part.want(r.Day.In(time.UTC)) }},
				computed[Moment]{part.name + " of a day or NULL", part.of(F("off")), func(r *Moment) any {
					return orNull(r.Off, func(d models.Date) int { return part.want(d.In(time.UTC)) })
				}},
				computed[Moment]{part.name + " of a day that is given", part.of(query.Value(models.DateOf(start))), func(*Moment) any { return part.want(start) }})
		}
		same(ctx, t, db, func(r *Moment) int64 { return r.ID }, list)

		type year struct{ Year, N int64 }
		byYear := query.Year(F("at"))
		years, err := orm.Select[year](ctx, orm.Objects[Moment](db).GroupBy("year").Having(query.Count().Gt(1)).OrderBy("year"), byYear.As("year"), query.Count().As("n"))
		require.NoError(t, err)
		require.Equal(t, []year{{2005, 2}, {2026, 2}}, years)
	})
}

func TestS54_TheTimeBetweenIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		moments(ctx, t, db)
		between := func(from, to time.Time) any {
			return (to.Unix()-from.Unix())*1e6 + int64(to.Nanosecond()-from.Nanosecond())/1e3
		}
		later := query.Shift(F("at"), 7, query.Seconds)
		same(ctx, t, db, func(m *Moment) int64 { return m.ID }, []computed[Moment]{
			{"until", query.Elapsed(F("at"), F("until")), func(r *Moment) any { return orNull(r.Until, func(u time.Time) any { return between(r.At, u) }) }},
			{"negative", query.Elapsed(F("until"), F("at")), func(r *Moment) any { return orNull(r.Until, func(u time.Time) any { return between(u, r.At) }) }},
			{"from a value", query.Elapsed(query.Value(start), F("at")), func(r *Moment) any { return between(start, r.At) }},
			{"to a value", query.Elapsed(F("at"), query.Value(start)), func(r *Moment) any { return between(r.At, start) }},
			{"none", query.Elapsed(F("at"), F("at")), func(*Moment) any { return 0 }},
			{"of a day", query.Elapsed(query.Cast[time.Time](F("day")), F("at")), func(r *Moment) any { return between(r.At.Truncate(24*time.Hour), r.At) }},
			{"moved", query.Elapsed(F("at"), later), func(r *Moment) any {
				if inYears(r.At.Add(7*time.Second)) == nil {
					return nil
				}
				return int64(7_000_000)
			}},
			{"calculated with", query.Elapsed(F("at"), F("until")).Div(1000).Add(1), func(r *Moment) any {
				return orNull(r.Until, func(u time.Time) any { return between(r.At, u).(int64)/1000 + 1 })
			}},
		})
	})
}

func TestS54_WhatHasNoParts(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Moment)(nil)))
		var value *query.ValueError
		for name, e := range map[string]query.Expr{
			"text": query.Year(F("text")), "a number": query.Month(F("id")), "an hour of a day": query.Hour(F("day")), "a second of a day": query.Second(F("off")),
			"unknown": query.Year(query.Raw("1")), "NULL": query.Day(query.Value(nil)), "a text": query.Day(query.Value("2026-01-01")),
			"hours of a day": query.Truncate(F("day"), query.Hours), "a day moved by hours": query.Shift(F("day"), 1, query.Hours), "a duration": F("day").Add(time.Hour),
			"too far": query.Shift(F("at"), 9999, query.Years), "too many": query.Shift(F("at"), math.MinInt, query.Weeks), "as many as a number": query.Shift(F("at"), math.MaxInt, query.Months),
			"text moved": query.Shift(F("text"), 1, query.Days), "no unit": query.Truncate(F("at"), 99), "a time and a number": F("at").Add(1), "a number of times": F("at").Mul(time.Hour),
			"from a day": query.Elapsed(F("day"), F("at")), "to a day": query.Elapsed(F("at"), F("off")), "to a text": query.Elapsed(F("at"), F("text")), "from NULL": query.Elapsed(query.Value(nil), F("at")),
		} {
			_, err := orm.Objects[Moment](db).Filter(e.Eq(1)).Count(ctx)
			require.ErrorAs(t, err, &value, name)
		}
		_, err := orm.Objects[Moment](db).Filter(query.Year(nil).Eq(1)).Count(ctx)
		require.ErrorContains(t, err, "is empty")
	})
}

// monthsLater is what Go's AddDate is not: it stays in the month.
func monthsLater(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, n, 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1).Add(t.Sub(t.Truncate(24 * time.Hour)))
}

// inYears is a time that the engines have, and NULL of any other.
func inYears(t time.Time) any {
	if t.Year() < 1 || t.Year() > 9999 {
		return nil
	}
	return t.Truncate(time.Microsecond)
}

func dayInYears(t time.Time) any {
	if t.Year() < 1 || t.Year() > 9999 {
		return nil
	}
	return models.DateOf(t)
}

func shifted(t time.Time, n int, unit query.Unit) time.Time {
	switch unit {
	case query.Seconds:
		return time.Unix(t.Unix()+int64(n), int64(t.Nanosecond())).UTC()
	case query.Minutes:
		return shifted(t, 60*n, query.Seconds)
	case query.Hours:
		return shifted(t, 3600*n, query.Seconds)
	case query.Days:
		return t.AddDate(0, 0, n)
	case query.Weeks:
		return t.AddDate(0, 0, 7*n)
	case query.Months:
		return monthsLater(t, n)
	}
	return monthsLater(t, 12*n)
}

func TestS54_TimesAreMovedAlike(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		moments(ctx, t, db)
		var list []computed[Moment]
		for _, d := range []time.Duration{0, 1, -1, 999, time.Microsecond, -time.Microsecond, time.Second, -90 * time.Minute, 36*time.Hour + 500*time.Millisecond, -time.Hour - 1500, math.MaxInt64, math.MinInt64 + 1} {
			list = append(list,
				computed[Moment]{fmt.Sprint("and ", d), F("at").Add(d), func(r *Moment) any { return inYears(r.At.Add(d)) }},
				computed[Moment]{fmt.Sprint("without ", d), F("until").Sub(d), func(r *Moment) any {
					return orNull(r.Until, func(t time.Time) any { return inYears(t.Add(-d)) })
				}})
		}
		for n, units := range map[int][]query.Unit{
			1:  {query.Seconds, query.Minutes, query.Hours, query.Days, query.Weeks, query.Months, query.Years},
			-1: {query.Seconds, query.Days, query.Weeks, query.Months, query.Years},
			0:  {query.Days, query.Months}, 11: {query.Months}, -13: {query.Months}, 400: {query.Days, query.Years}, -9000: {query.Years}, 9998: {query.Years}, -119_000: {query.Months},
			3_000_000: {query.Days, query.Hours}, 300_000_000_000: {query.Seconds}, -80_000_000: {query.Hours},
		} {
			for _, unit := range units {
				list = append(list, computed[Moment]{fmt.Sprint(n, " of unit ", unit), query.Shift(F("at"), n, unit), func(r *Moment) any { return inYears(shifted(r.At, n, unit)) }})
				if unit >= query.Days {
					list = append(list, computed[Moment]{fmt.Sprint(n, " of unit ", unit, " of a day"), query.Shift(F("off"), n, unit), func(r *Moment) any {
						return orNull(r.Off, func(d models.Date) any { return dayInYears(shifted(d.In(time.UTC), n, unit)) })
					}})
				}
			}
		}
		list = append(list,
			computed[Moment]{"twice", query.Shift(F("at").Add(time.Microsecond), 1, query.Months).Add(-time.Microsecond), func(r *Moment) any {
				at, ok := inYears(r.At.Add(time.Microsecond)).(time.Time)
				if !ok || inYears(monthsLater(at, 1)) == nil {
					return nil
				}
				return monthsLater(at, 1).Add(-time.Microsecond)
			}},
			computed[Moment]{"the month's last day", query.Day(query.Shift(query.Shift(query.Truncate(F("day"), query.Months), 1, query.Months), -1, query.Days)), func(r *Moment) any {
				if r.Day.Year == 9999 {
					return nil
				}
				return time.Date(r.Day.Year, r.Day.Month+1, 0, 0, 0, 0, 0, time.UTC).Day()
			}},
			computed[Moment]{"of a value", query.Value(start).Add(time.Hour), func(*Moment) any { return start.Add(time.Hour) }})
		same(ctx, t, db, func(r *Moment) int64 { return r.ID }, list)

		before, err := orm.Objects[Moment](db).OrderBy("id").All(ctx)
		require.NoError(t, err)
		_, err = orm.Objects[Moment](db).Filter(F("until").IsNotNull()).Update(ctx, query.Set("until", F("until").Add(time.Microsecond)), query.Set("day", query.Shift(F("off"), -1, query.Months)))
		require.NoError(t, err)
		for _, row := range before {
			if row.Until == nil {
				continue
			}
			now, err := orm.Objects[Moment](db).Filter(F("id").Eq(row.ID)).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, row.Until.Add(time.Microsecond), *now.Until)
			require.Equal(t, models.DateOf(monthsLater(row.Off.In(time.UTC), -1)), now.Day)
		}
	})
}

func TestS54_TimesAreTruncatedAlike(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		moments(ctx, t, db)
		monday := func(t time.Time) time.Time {
			day := t.Truncate(24 * time.Hour)
			return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		}
		var list []computed[Moment]
		for unit, truncate := range map[query.Unit]func(time.Time) time.Time{
			query.Seconds: func(t time.Time) time.Time { return t.Truncate(time.Second) },
			query.Minutes: func(t time.Time) time.Time { return t.Truncate(time.Minute) },
			query.Hours:   func(t time.Time) time.Time { return t.Truncate(time.Hour) },
			query.Days:    func(t time.Time) time.Time { return t.Truncate(24 * time.Hour) },
			query.Weeks:   monday,
			query.Months:  func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) },
			query.Years:   func(t time.Time) time.Time { return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC) },
		} {
			list = append(list,
				computed[Moment]{fmt.Sprint("to unit ", unit), query.Truncate(F("at"), unit), func(r *Moment) any { return truncate(r.At) }},
				computed[Moment]{fmt.Sprint("to unit ", unit, " or NULL"), query.Truncate(F("until"), unit), func(r *Moment) any { return orNull(r.Until, truncate) }})
			if unit >= query.Days {
				list = append(list, computed[Moment]{fmt.Sprint("day to unit ", unit), query.Truncate(F("day"), unit), func(r *Moment) any { return models.DateOf(truncate(r.Day.In(time.UTC))) }})
			}
		}
		same(ctx, t, db, func(r *Moment) int64 { return r.ID }, list)
		type month struct {
			Month time.Time
			N     int64
		}
		months, err := orm.Select[month](ctx, orm.Objects[Moment](db).Filter(F("at").Between(time.Date(2005, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2008, 12, 31, 0, 0, 0, 0, time.UTC))).GroupBy("month").OrderBy("month"),
			query.Truncate(F("at"), query.Months).As("month"), query.Count().As("n"))
		require.NoError(t, err)
		require.Equal(t, []month{{time.Date(2005, 1, 1, 0, 0, 0, 0, time.UTC), 2}, {time.Date(2008, 12, 1, 0, 0, 0, 0, time.UTC), 1}}, months)
	})
}
