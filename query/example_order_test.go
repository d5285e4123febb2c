package query_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/query"
)

// A name as a user types it, and expressions for what a name cannot say.
func ExampleOrderBy() {
	ctx, all := tickets()
	for _, order := range []query.Order{
		query.OrderBy("-votes"), Votes.Asc(), Opened.Desc(), query.Lower(query.F("title")).Asc(),
	} {
		first, err := all.OrderByExpr(order).First(ctx)
		check(err)
		fmt.Println(first.Title)
	}
	// Output:
	// crash on exit
	// Wrong colour
	// Wrong colour
	// Crash at 100%
}

func ExampleOrder_NullsLast() {
	ctx, all := tickets()
	list, err := all.OrderByExpr(query.F("assignee").Asc().NullsLast(), query.F("votes").Desc()).All(ctx)
	fmt.Println(list[0].Title, err)
	list, err = all.OrderByExpr(query.F("assignee").Desc().NullsFirst(), query.F("votes").Desc()).All(ctx)
	fmt.Println(list[0].Title, err)
	// Output:
	// Crash at 100% <nil>
	// crash on exit <nil>
}
