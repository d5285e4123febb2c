// Command tables compares the models with their tables.
package main

import (
	"context"
	"errors"
	"fmt"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/orm"
)

func main() {
	ctx := context.Background()
	db := demo.Open(ctx)
	defer db.Close()

	fmt.Println("after CreateTables:", orm.Check(ctx, db, store.Models()...))

	// A migration that the model has not heard of.
	_, err := db.Exec(ctx, "ALTER TABLE orders DROP COLUMN note")
	demo.Check(err)
	var differs *orm.CheckError
	if errors.As(orm.Check(ctx, db, store.Models()...), &differs) {
		for _, d := range differs.Differences {
			fmt.Println(d)
		}
	}
}
