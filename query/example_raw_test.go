package query_test

import (
	"github.com/holdfast-go/holdfast/query"
)

func ExampleRaw() {
	ctx, all := tickets()
	show(ctx, all.Filter(query.Raw("length(?) < ?", query.F("title"), 13)))
	// Output: Wrong colour
}
