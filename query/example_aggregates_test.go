package query_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleCount() {
	ctx, all := tickets()
	number := func(of query.Operand) {
		n, err := orm.Aggregate[float64](ctx, all, of)
		fmt.Println(n, err)
	}
	number(query.Count())                    // rows
	number(query.Count(query.F("assignee"))) // that have one
	number(query.CountDistinct(query.F("votes")))
	number(query.Sum(query.F("votes")))
	number(query.Min(query.F("votes")))
	number(query.Max(query.F("votes")))
	number(query.Avg(query.F("votes")))
	// Output:
	// 3 <nil>
	// 1 <nil>
	// 3 <nil>
	// 18 <nil>
	// 2 <nil>
	// 9 <nil>
	// 6 <nil>
}

func ExampleAggregateExpr_Where() {
	ctx, all := tickets()
	free, err := orm.Aggregate[int](ctx, all, query.Count().Where(query.F("assignee").IsNull()))
	fmt.Println(free, err)
	hot, err := orm.Aggregate[*int](ctx, all, query.Sum(query.F("votes")).Where(query.F("votes").Gt(5)).Distinct())
	fmt.Println(*hot, err)
	// Output:
	// 2 <nil>
	// 16 <nil>
}

func ExampleStringAgg() {
	ctx, all := tickets()
	titles, err := orm.Aggregate[string](ctx, all, query.StringAgg(query.F("title"), "; ", query.F("votes").Desc()))
	fmt.Println(titles, err)
	// Output: crash on exit; Crash at 100%; Wrong colour <nil>
}
