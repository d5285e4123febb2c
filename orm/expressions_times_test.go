package orm_test

import (
	"context"
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

func TestS54_WhatHasNoParts(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Moment)(nil)))
		var value *query.ValueError
		for name, e := range map[string]query.Expr{
			"text": query.Year(F("text")), "a number": query.Month(F("id")), "an hour of a day": query.Hour(F("day")), "a second of a day": query.Second(F("off")),
			"unknown": query.Year(query.Raw("1")), "NULL": query.Day(query.Value(nil)), "a text": query.Day(query.Value("2026-01-01")),
		} {
			_, err := orm.Objects[Moment](db).Filter(e.Eq(1)).Count(ctx)
			require.ErrorAs(t, err, &value, name)
		}
		_, err := orm.Objects[Moment](db).Filter(query.Year(nil).Eq(1)).Count(ctx)
		require.ErrorContains(t, err, "is empty")
	})
}
