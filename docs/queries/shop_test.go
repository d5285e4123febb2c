// Package queries holds the programs of queries.md: each of them runs.
package queries

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"time"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// shop is a database in memory with four customers, five orders and four products.
func shop(ctx context.Context) *orm.DB {
	opened++
	db, err := orm.Open(ctx, sqlite.From(sql.OpenDB(recorder(fmt.Sprint("shop", opened)))))
	check(err)
	check(orm.CreateTables(ctx, db, (*ProductTag)(nil), (*Customer)(nil), (*Order)(nil), (*Product)(nil), (*Line)(nil), (*Tag)(nil)))
	check(orm.Objects[Customer](db).BulkCreate(ctx, []*Customer{
		{Name: "Ada", Email: "ada@example.org", City: new("Turin")},
		{Name: "Bo", Email: "bo@example.org", City: new("Oslo")},
		{Name: "Chi", Email: "chi@example.org"},
		{Name: "Dag", Email: "dag@example.org", City: new("Oslo")},
	}))
	check(orm.Objects[Product](db).BulkCreate(ctx, []*Product{
		{Name: "pen", Price: 250, Stock: 40},
		{Name: "notebook", Price: 900, Stock: 12},
		{Name: "lamp", Price: 4500, Stock: 3},
		{Name: "desk", Price: 32000},
	}))
	check(orm.Objects[Tag](db).BulkCreate(ctx, []*Tag{
		{Name: "office"}, {Name: "paper", ParentID: new(int64(1))}, {Name: "squared", ParentID: new(int64(2))}, {Name: "furniture"},
	}))
	check(orm.Objects[ProductTag](db).BulkCreate(ctx, []*ProductTag{
		{ProductID: 1, TagID: 1}, {ProductID: 2, TagID: 2}, {ProductID: 2, TagID: 3}, {ProductID: 3, TagID: 1}, {ProductID: 3, TagID: 4},
		{ProductID: 4, TagID: 4},
	}))
	check(orm.Objects[Order](db).BulkCreate(ctx, []*Order{
		{CustomerID: 1, State: "paid", Placed: at(time.January, 5, 9), Total: 3400},
		{CustomerID: 1, State: "sent", Placed: at(time.February, 10, 16), Total: 4500},
		{CustomerID: 2, State: "paid", Placed: at(time.February, 11, 11), Total: 40000},
		{CustomerID: 3, State: "new", Placed: at(time.March, 2, 8), Total: 2700},
		{CustomerID: 2, State: "new", Placed: at(time.March, 2, 14), Total: 1000},
	}))
	check(orm.Objects[Line](db).BulkCreate(ctx, []*Line{
		{OrderID: 1, ProductID: 1, Quantity: 10, Price: 250},
		{OrderID: 1, ProductID: 2, Quantity: 1, Price: 900},
		{OrderID: 2, ProductID: 3, Quantity: 1, Price: 4500},
		{OrderID: 3, ProductID: 4, Quantity: 1, Price: 32000},
		{OrderID: 3, ProductID: 3, Quantity: 2, Price: 4000},
		{OrderID: 4, ProductID: 2, Quantity: 3, Price: 900},
		{OrderID: 5, ProductID: 1, Quantity: 4, Price: 250},
	}))
	forget()
	return db
}

var opened int // Examples run one after the other

func at(month time.Month, day, hour int) time.Time {
	return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
