package query_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Account struct {
	ID   int64 `bun:",pk,autoincrement"`
	Name string
	Data json.RawMessage
}

func accounts(ctx context.Context) (*orm.DB, orm.QuerySet[Account]) {
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	check(orm.CreateTables(ctx, db, (*Account)(nil)))
	all := orm.Objects[Account](db)
	check(all.BulkCreate(ctx, []*Account{
		{Name: "Ada", Data: json.RawMessage(`{"address": {"city": "Ulm"}, "points": 70, "tags": ["new", "vip"]}`)},
		{Name: "Bob", Data: json.RawMessage(`{"address": {"city": null}, "points": "70"}`)},
		{Name: "Cem", Data: nil},
	}))
	return db, all
}

// A path leads to a value, which is compared as JSON or read as what it is.
func ExampleExpr_JSON() {
	ctx := context.Background()
	db, all := accounts(ctx)
	defer db.Close()
	data := query.F("data")

	for _, c := range []query.Cond{
		data.JSON("points").Eq(70),
		data.JSON("points").Eq("70"),
		data.JSON("points").Int().Gt(50),
		data.JSON("tags", 0).Eq("new"),
		data.JSON("address", "city").Exists(),
		data.JSON("address", "city").Type().Eq("null"),
	} {
		names, err := orm.Select[string](ctx, all.Filter(c).OrderBy("id"), query.F("name"))
		fmt.Println(names, err)
	}
	// Output:
	// [Ada] <nil>
	// [Bob] <nil>
	// [Ada] <nil>
	// [Ada] <nil>
	// [Ada Bob] <nil>
	// [Bob] <nil>
}

// What a query puts out is read by its kind.
func ExampleJSON_Text() {
	ctx := context.Background()
	db, all := accounts(ctx)
	defer db.Close()

	rows, err := orm.Select[struct {
		Name string
		City string
		Tags []string
	}](ctx, all.OrderBy("id"), query.F("name"), query.Coalesce(query.F("data").JSON("address", "city").Text(), query.Value("?")).As("city"),
		query.F("data").JSON("tags").As("tags"))
	fmt.Println(rows, err)
	// Output: [{Ada Ulm [new vip]} {Bob ? []} {Cem ? []}] <nil>
}

// What is an object on the way is made.
func ExampleJSON_Set() {
	ctx := context.Background()
	db, all := accounts(ctx)
	defer db.Close()

	data := query.F("data")
	_, err := all.Filter(query.F("name").Eq("Cem")).Update(ctx, data.JSON("address", "city").Set("Izmir"), data.JSON("points").Set(5))
	fmt.Println(err)
	_, err = all.Filter(query.F("name").Eq("Ada")).Update(ctx, data.JSON("tags", 0).Remove(), data.JSON("points").Remove())
	fmt.Println(err)
	rows, err := all.OrderBy("id").All(ctx)
	check(err)
	fmt.Println(string(rows[0].Data))
	fmt.Println(string(rows[2].Data))
	// Output:
	// <nil>
	// <nil>
	// {"address":{"city":"Ulm"},"tags":["vip"]}
	// {"address":{"city":"Izmir"},"points":5}
}
