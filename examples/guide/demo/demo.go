// Package demo is what each program of the guide begins with.
package demo

import (
	"cmp"
	"context"
	"log"
	"os"

	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/orm"
)

// Open opens a database that is empty, and puts two shows into it. It is in memory
// unless SHOP_DB says otherwise.
func Open(ctx context.Context, opts ...orm.Option) *orm.DB {
	db, err := orm.Open(ctx, store.Source(cmp.Or(os.Getenv("SHOP_DB"), ":memory:")), opts...)
	Check(err)
	Check(orm.CreateTables(ctx, db, store.Models()...))
	Check(orm.Objects[store.Show](db).BulkCreate(ctx, []*store.Show{
		{Title: "Hamlet", Price: 2500, Free: 100},
		{Title: "Faust", Price: 4000, Free: 2},
	}))
	return db
}

// Check ends the program if there is an error.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
