package query_test

import (
	"fmt"

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
