package query_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/query"
)

func ExampleCase() {
	ctx, all := tickets()
	urgent := query.Case().
		When(query.F("assignee").IsNull(), query.F("votes").Mul(2)). // nobody is at it
		When(query.F("priority").Eq(1), 10).
		Else(0)
	show(ctx, all.Filter(urgent.Ge(10)))
	// Output:
	// Crash at 100%
	// crash on exit
}

func ExampleNullIf() {
	ctx, all := tickets()
	// Where the assignee is not known a text may say so, or NULL.
	n, err := all.Filter(query.NullIf(query.F("assignee"), "nobody").IsNull()).Count(ctx)
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleGreatest() {
	ctx, all := tickets()
	_, err := all.Update(ctx, query.Set("votes", query.Greatest(query.F("votes"), 5)))
	fmt.Println(err)
	n, err := all.Filter(query.Least(query.F("votes"), query.F("priority").Mul(4)).Eq(5)).Count(ctx)
	fmt.Println(n, err)
	// Output:
	// <nil>
	// 1 <nil>
}
