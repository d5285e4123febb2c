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

// Draft is Page as somebody writes it who wants another name for the column: the
// methods are what counts.
type Draft struct {
	models.AutoID
	Text    string
	Written time.Time
	Changed time.Time
	Edition int64
}

func (d *Draft) TimestampFields() (created, updated *time.Time) { return &d.Written, &d.Changed }
func (d *Draft) VersionField() *int64                           { return &d.Edition }

// A struct of your own with the methods of a mixin is treated alike.
func ExampleVersioned_ofYourOwn() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	defer db.Close()
	check(orm.CreateTables(ctx, db, (*Draft)(nil)))

	draft := &Draft{Text: "first"}
	check(orm.Objects[Draft](db).Create(ctx, draft))
	check(orm.Objects[Draft](db).Save(ctx, draft))
	fmt.Println(draft.ID, draft.Edition, draft.Written.IsZero(), draft.Changed.Before(draft.Written))
	// Output: 1 2 false false
}

// The key is there before the row is sent, so that others can refer to it.
func ExampleUUID() {
	page := &Page{}
	check(page.NewKey()) // Create does this
	fmt.Println(page.ID.Version())
	// Output: VERSION_7
}

func ExampleDate() {
	seoul := time.FixedZone("KST", 9*3600)
	born := models.DateOf(time.Date(1990, time.May, 17, 0, 0, 0, 0, seoul)) // still the 16th in UTC
	next, err := models.ParseDate("1990-05-18")
	check(err)
	fmt.Println(born, born.AddDays(1) == next, born.Compare(next))
	// Output: 1990-05-17 true -1
}

type Memo struct {
	models.AutoID
	models.SoftDelete
	Text string
}

func ExampleSoftDelete() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	defer db.Close()
	check(orm.CreateTables(ctx, db, (*Memo)(nil)))
	memos := orm.Objects[Memo](db)
	check(memos.Create(ctx, &Memo{Text: "first"}))

	n, err := memos.Delete(ctx)
	check(err)
	living, err := memos.Count(ctx)
	check(err)
	all, err := memos.WithDeleted().Count(ctx)
	check(err)
	fmt.Println(n, living, all)
	// Output: 1 0 1
}
