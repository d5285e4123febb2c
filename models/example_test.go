package models_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

type Page struct {
	models.UUID
	models.Timestamps
	models.Versioned
	Text string
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}

func ExampleVersioned() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	defer db.Close()
	check(orm.CreateTables(ctx, db, (*Page)(nil)))
	pages := orm.Objects[Page](db)
	check(pages.Create(ctx, &Page{Text: "first"}))

	hers, err := pages.Get(ctx)
	check(err)
	his, err := pages.Get(ctx)
	check(err)
	hers.Text = "hers"
	check(pages.Save(ctx, hers))
	his.Text = "his"
	err = pages.Save(ctx, his)
	fmt.Println(errors.Is(err, orm.ErrStale), hers.Version, his.Version)
	// Output: true 2 1
}

func ExampleTimestamps() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	defer db.Close()
	check(orm.CreateTables(ctx, db, (*Page)(nil)))

	page := &Page{}
	check(orm.Objects[Page](db).Create(ctx, page))
	fmt.Println(time.Since(page.CreatedAt) < time.Minute, page.UpdatedAt.Equal(page.CreatedAt), page.ID.Version())
	// Output: true true VERSION_7
}
