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
