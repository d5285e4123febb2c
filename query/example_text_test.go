package query_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleConcat() {
	ctx, all := tickets()
	title := query.F("title")
	label := query.Concat(query.Substr(title, 1, 5), "… ", query.Coalesce(query.F("assignee"), query.Value("nobody")))
	first, err := orm.Aggregate[string](ctx, all, query.Min(label))
	fmt.Println(first, err)
	longest, err := orm.Aggregate[int](ctx, all, query.Max(query.Length(title)))
	fmt.Println(longest, err)
	// Output:
	// Crash… Ada <nil>
	// 13 <nil>
}

func ExampleTrim() {
	ctx, all := tickets()
	title := query.F("title")
	show(ctx, all.Filter(query.Or(
		query.Trim(title, "Cr%").Eq("ash at 100"),
		query.TrimLeft(title, "W").Eq("rong colour"),
		query.TrimRight(title, "tix").Eq("crash on e"),
	)))
	// Output:
	// Crash at 100%
	// crash on exit
	// Wrong colour
}

func ExampleReplace() {
	ctx, all := tickets()
	_, err := all.Update(ctx, query.Set("title", query.Replace(query.F("title"), "crash", "Crash")))
	fmt.Println(err)
	show(ctx, all.Filter(query.F("title").StartsWith("Crash")))
	// Output:
	// <nil>
	// Crash at 100%
	// Crash on exit
}
