// Command rows creates, reads, changes and deletes rows.
package main

import (
	"context"
	"errors"
	"fmt"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func main() {
	ctx := context.Background()
	db := demo.Open(ctx)
	defer db.Close()
	shows := orm.Objects[store.Show](db) // all shows; nothing is sent yet

	tosca := &store.Show{Title: "Tosca", Price: 5000, Free: 50}
	demo.Check(shows.Create(ctx, tosca))
	fmt.Println("created:", tosca.ID, tosca.Version)

	err := shows.Create(ctx, &store.Show{Title: "Tosca"})
	fmt.Println("again:", errors.Is(err, dialect.ErrUniqueViolation))

	mine, err := shows.Find(ctx, tosca.ID) // by the primary key
	demo.Check(err)
	yours, err := shows.Filter(query.F("title").Eq("Tosca")).Get(ctx) // exactly one row
	demo.Check(err)

	mine.Price = 5500
	demo.Check(shows.Save(ctx, mine))
	yours.Free = 49 // yours has the old version
	fmt.Println("lost update:", errors.Is(shows.Save(ctx, yours), orm.ErrStale))

	demo.Check(shows.DeleteRow(ctx, mine))
	_, err = shows.Find(ctx, tosca.ID)
	fmt.Println("gone:", errors.Is(err, orm.ErrNotFound))
}
