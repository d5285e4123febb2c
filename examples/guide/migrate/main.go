// Command migrate starts two processes of a service on a new database.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/orm"
)

func main() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "shop-")
	demo.Check(err)
	defer os.RemoveAll(dir)

	for process := 1; process <= 2; process++ {
		db, err := store.Open(ctx, filepath.Join(dir, "shop.db"))
		demo.Check(err)
		version, err := store.Migrate(ctx, db)
		demo.Check(err)
		demo.Check(orm.Check(ctx, db, store.Models()...))
		fmt.Println("process", process, "has version", version)
		demo.Check(db.Close())
	}
}
