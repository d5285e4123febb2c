package query_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Ticket is the model of the examples.
type Ticket struct {
	ID       int64 `bun:",pk,autoincrement"`
	Title    string
	Priority int
	Votes    int
	Assignee *string
	Opened   time.Time
}

func tickets() (context.Context, orm.QuerySet[Ticket]) {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	check(orm.CreateTables(ctx, db, (*Ticket)(nil)))
	ada, day := "Ada", time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	all := orm.Objects[Ticket](db)
	check(all.BulkCreate(ctx, []*Ticket{
		{Title: "Crash at 100%", Priority: 1, Votes: 7, Assignee: &ada, Opened: day},
		{Title: "crash on exit", Priority: 2, Votes: 9, Opened: day.Add(time.Hour)},
		{Title: "Wrong colour", Priority: 3, Votes: 2, Opened: day.Add(2 * time.Hour)},
	}))
	return ctx, all.OrderBy("id")
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}

func show(ctx context.Context, q orm.QuerySet[Ticket]) {
	list, err := q.All(ctx)
	check(err)
	for _, t := range list {
		fmt.Println(t.Title)
	}
}

var Opened = query.Column(func(t *Ticket) *time.Time { return &t.Opened })
