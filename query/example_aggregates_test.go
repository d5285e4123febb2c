package query_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleCount() {
	ctx, all := tickets()
	number := func(of query.Expr) {
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
