package query_test

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleYear() {
	ctx, all := tickets()
	opened := query.F("opened")
	n, err := all.Filter(query.Year(opened).Eq(2026), query.Month(opened).Eq(3), query.Day(opened).Eq(1)).Count(ctx)
	fmt.Println(n, err)

	type hour struct{ Hour, Votes int64 }
	hours, err := orm.Select[hour](ctx, all.OrderBy("hour").GroupBy("hour"), query.Hour(opened).As("hour"), query.Sum(query.F("votes")).As("votes"))
	fmt.Println(hours, err)

	n, err = all.Filter(query.Minute(opened).Eq(0), query.Second(opened).Eq(0)).Count(ctx)
	fmt.Println(n, err)
	// Output:
	// 3 <nil>
	// [{9 7} {10 9} {11 2}] <nil>
	// 3 <nil>
}

func ExampleISOWeek() {
	ctx, all := tickets()
	opened := query.F("opened")
	type week struct{ Year, Week, N int64 }
	weeks, err := orm.Select[week](ctx, all.OrderBy().GroupBy("year", "week"),
		query.ISOYear(opened).As("year"), query.ISOWeek(opened).As("week"), query.Count().As("n"))
	fmt.Println(weeks, err)
	sundays, err := all.Filter(query.Weekday(opened).Eq(time.Sunday), query.YearDay(opened).Eq(31+28+1)).Count(ctx)
	fmt.Println(sundays, err)
	// Output:
	// [{2026 9 3}] <nil>
	// 3 <nil>
}

func ExampleTruncate() {
	ctx, all := tickets()
	opened := query.F("opened")
	type week struct {
		Monday time.Time
		N      int64
	}
	weeks, err := orm.Select[week](ctx, all.OrderBy().GroupBy("monday"), query.Truncate(opened, query.Weeks).As("monday"), query.Count().As("n"))
	fmt.Println(weeks[0].Monday.Format(time.DateOnly), weeks[0].N, err)
	for _, unit := range []query.Unit{query.Seconds, query.Minutes, query.Hours, query.Days, query.Months, query.Years} {
		n, err := all.Filter(query.Truncate(opened, unit).Eq(opened)).Count(ctx)
		fmt.Print(n, " ", err, " ")
	}
	// Output:
	// 2026-02-23 3 <nil>
	// 3 <nil> 3 <nil> 3 <nil> 0 <nil> 0 <nil> 0 <nil>
}

func ExampleShift() {
	ctx, all := tickets()
	due := query.Shift(query.F("opened"), 1, query.Months) // on 1 April
	n, err := all.Filter(due.Lt(time.Date(2026, 4, 1, 10, 30, 0, 0, time.UTC))).Count(ctx)
	fmt.Println(n, err)
	_, err = all.Update(ctx, query.Set("opened", query.F("opened").Add(90*time.Minute)))
	fmt.Println(err)
	last, err := orm.Aggregate[time.Time](ctx, all, query.Max(query.F("opened")))
	fmt.Println(last, err)
	// Output:
	// 2 <nil>
	// <nil>
	// 2026-03-01 12:30:00 +0000 UTC <nil>
}

// How long it is that tickets have been open at noon, on the average.
func ExampleElapsed() {
	ctx, all := tickets()
	noon := query.Value(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	open := query.Elapsed(query.F("opened"), noon)
	mean, err := orm.Aggregate[float64](ctx, all, query.Avg(open))
	fmt.Println(time.Duration(mean)*time.Microsecond, err)
	n, err := all.Filter(open.Gt((90 * time.Minute).Microseconds())).Count(ctx)
	fmt.Println(n, err)
	// Output:
	// 2h0m0s <nil>
	// 2 <nil>
}
