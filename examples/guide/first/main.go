// Command first opens a database in memory, and writes and reads one row.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

type show struct {
	models.AutoID
	Title string
	Free  int64
}

func main() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	defer db.Close()

	check(orm.CreateTables(ctx, db, (*show)(nil)))
	check(orm.Objects[show](db).Create(ctx, &show{Title: "Hamlet", Free: 100}))

	found, err := orm.Objects[show](db).Find(ctx, 1)
	check(err)
	fmt.Println(db.Server().Product, found.ID, found.Title, found.Free)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
