package query_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleExpr_Div() {
	ctx, all := tickets()
	pages, err := orm.Aggregate[int64](ctx, all, query.Sum(query.F("votes")).Div(5))
	fmt.Println(pages, err)
	odd, err := all.Filter(query.F("votes").Mod(2).Eq(1)).Count(ctx)
	fmt.Println(odd, err)
	// Output:
	// 3 <nil>
	// 2 <nil>
}

func ExampleRound() {
	ctx, all := tickets()
	mean, err := orm.Aggregate[float64](ctx, all, query.Round(query.Avg(query.F("votes")).Div(4), 1))
	fmt.Println(mean, err)
	least, err := orm.Aggregate[float64](ctx, all, query.Min(query.F("votes").Neg()))
	fmt.Println(least, err)
	near, err := all.Filter(query.Abs(query.F("votes").Sub(8)).Le(1)).Count(ctx)
	fmt.Println(near, err)
	// Output:
	// 1.5 <nil>
	// -9 <nil>
	// 2 <nil>
}
