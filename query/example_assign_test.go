package query_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/query"
)

func ExampleSet() {
	ctx, all := tickets()
	n, err := all.Filter(query.F("priority").Gt(1)).Update(ctx,
		query.Set("votes", query.F("votes").Add(1)), query.Set("assignee", "Grace"), Opened.SetExpr(query.Now()))
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleAssignment() {
	ctx, all := tickets()
	reset := []query.Assignment{Votes.Set(0), query.Set("assignee", nil)}
	n, err := all.Update(ctx, reset...)
	fmt.Println(n, err)
	// Output: 3 <nil>
}
