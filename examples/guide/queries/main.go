// Command queries filters, orders, pages, joins and counts.
package main

import (
	"context"
	"fmt"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func main() {
	ctx := context.Background()
	db := demo.Open(ctx)
	defer db.Close()
	orders := orm.Objects[store.Order](db)
	demo.Check(orders.BulkCreate(ctx, []*store.Order{
		{ShowID: 1, Buyer: "ann", Seats: 2}, {ShowID: 1, Buyer: "ben", Seats: 4}, {ShowID: 2, Buyer: "ann", Seats: 1},
	}))

	// A path goes over relations; Related reads the show in the same statement.
	page, err := orders.Filter(query.F("show.price").Lt(3000), query.F("seats").Ge(2)).
		Related("show").OrderBy("-seats").Limit(10).All(ctx)
	demo.Check(err)
	for _, o := range page {
		fmt.Println(o.Buyer, o.Seats, o.Show.Title)
	}

	// The other direction: shows with their orders, in one statement more.
	shows, err := orm.Objects[store.Show](db).Filter(query.Any("orders", query.F("buyer").Eq("ann"))).
		OrderBy("title").Prefetch("orders").All(ctx)
	demo.Check(err)
	for _, s := range shows {
		fmt.Println(s.Title, len(s.Orders))
	}

	// Groups and sums go into a struct with a field for each output.
	sums, err := orm.Select[struct {
		Buyer string
		Seats int64
	}](ctx, orders.GroupBy("buyer").OrderBy("buyer"), query.F("buyer"), query.Sum(query.F("seats")).As("seats"))
	demo.Check(err)
	fmt.Println(sums)

	// The server computes: one statement, and no lost update.
	n, err := orm.Objects[store.Show](db).Filter(query.F("free").Gt(0)).
		Update(ctx, query.Set("price", query.F("price").Add(100)))
	demo.Check(err)
	fmt.Println("dearer:", n)
}
