package queries

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_numbers() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	type Stock struct {
		Name  string
		Boxes int64 // of 12 pieces
		Left  int64
		Worth float64
	}
	list, err := orm.Select[Stock](ctx, orm.Objects[Product](db).OrderBy("id").Limit(2),
		query.F("name"),
		query.F("stock").Div(12).As("boxes"),
		query.F("stock").Mod(12).As("left"),
		query.Round(query.F("stock").Mul(query.F("price")).Div(100.0), 1).As("worth"))
	fmt.Println(list, err)
	// Output: [{pen 3 4 100} {notebook 1 0 108}] <nil>
}

func Example_texts() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	list, err := orm.Select[struct {
		Label  string
		Length int
		Where  string
	}](ctx, orm.Objects[Customer](db).OrderBy("id").Limit(3),
		query.Concat(query.Upper(query.F("name")), " (no. ", query.Cast[string](query.F("id")), ")").As("label"),
		query.Length(query.Replace(query.F("email"), "@example.org", "")).As("length"),
		query.Coalesce(query.F("city"), query.Value("unknown")).As("where"))
	fmt.Println(list, err)
	// Output: [{ADA (no. 1) 3 Turin} {BO (no. 2) 2 Oslo} {CHI (no. 3) 3 unknown}] <nil>
}

func Example_times() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	type Due struct {
		ID      int64
		Weekday time.Weekday
		Due     time.Time
	}
	list, err := orm.Select[Due](ctx, orm.Objects[Order](db).Filter(query.Month(query.F("placed")).Eq(1)),
		query.F("id"),
		query.Weekday(query.F("placed")).As("weekday"),
		query.Shift(query.Truncate(query.F("placed"), query.Days), 1, query.Months).As("due"))
	fmt.Println(list, err)
	// Output: [{1 Monday 2026-02-05 00:00:00 +0000 UTC}] <nil>
}

func Example_choice() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	size := query.Case().
		When(query.F("total").Ge(10000), "large").
		When(query.F("total").Ge(3000), "medium").
		Else("small")
	list, err := orm.Select[struct {
		Size   string
		Orders int
	}](ctx, orm.Objects[Order](db).GroupBy("size").OrderBy("size"), size.As("size"), query.Count().As("orders"))
	fmt.Println(list, err)
	// Output: [{large 1} {medium 2} {small 2}] <nil>
}
