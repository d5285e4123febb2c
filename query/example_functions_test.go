package query_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleLower() {
	ctx, all := tickets()
	show(ctx, all.Filter(query.Lower(query.F("title")).StartsWith("crash")).OrderByExpr(query.F("votes").Desc()))
	// Output:
	// crash on exit
	// Crash at 100%
}

func ExampleCoalesce() {
	ctx, all := tickets()
	nobody := query.Coalesce(query.F("assignee"), query.Value("nobody"))
	n, err := all.Filter(nobody.Eq("nobody")).Count(ctx)
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleUpper() {
	ctx, all := tickets()
	show(ctx, all.Filter(query.Upper(query.F("title")).Eq("WRONG COLOUR")))
	// Output: Wrong colour
}

func ExampleCast() {
	ctx, all := tickets()
	label := query.Concat("no. ", query.Cast[string](query.F("id")))
	first, err := orm.Aggregate[string](ctx, all, query.Min(label))
	fmt.Println(first, err)
	mean, err := orm.Aggregate[int64](ctx, all, query.Cast[int64](query.Round(query.Avg(query.F("votes")), 0)))
	fmt.Println(mean, err)
	odd, err := all.Filter(query.Cast[int64](query.Raw("abs(?)", query.F("votes"))).Mod(2).Eq(1)).Count(ctx)
	fmt.Println(odd, err)
	// Output:
	// no. 1 <nil>
	// 6 <nil>
	// 2 <nil>
}
