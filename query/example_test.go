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

func ExampleF() {
	ctx, all := tickets()
	show(ctx, all.Filter(query.F("votes").Gt(query.F("priority").Mul(5))))
	fmt.Println("--")
	show(ctx, all.Filter(query.F("assignee").Eq(nil), query.F("title").Contains("crash")))
	fmt.Println("--")
	show(ctx, all.Filter(query.F("title").EndsWith("0%"))) // % is no wildcard here
	// Output:
	// Crash at 100%
	// --
	// crash on exit
	// --
	// Crash at 100%
}

var Opened = query.Column(func(t *Ticket) *time.Time { return &t.Opened })

func ExampleColumn() {
	ctx, all := tickets()
	show(ctx, all.Filter(Opened.Lt(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))))
	// Output: Crash at 100%
}

func ExampleOr() {
	ctx, all := tickets()
	show(ctx, all.Filter(query.Or(query.F("priority").Eq(1), query.F("votes").Lt(5))))
	// Output:
	// Crash at 100%
	// Wrong colour
}

func ExampleNot() {
	ctx, all := tickets()
	// Tickets of nobody are not Ada's.
	show(ctx, all.Filter(query.Not(query.F("assignee").Eq("Ada"))))
	// Output:
	// crash on exit
	// Wrong colour
}

func ExampleRaw() {
	ctx, all := tickets()
	show(ctx, all.Filter(query.Raw("length(?) < ?", query.F("title"), 13)))
	// Output: Wrong colour
}

func ExampleLower() {
	ctx, all := tickets()
	show(ctx, all.Filter(query.Lower(query.F("title")).StartsWith("crash")).OrderByExpr(query.F("votes").Desc()))
	// Output:
	// crash on exit
	// Crash at 100%
}

func ExampleCoalesce() {
	ctx, all := tickets()
	nobody := query.Coalesce(query.F("assignee"), query.Value("nobody"))
	n, err := all.Filter(nobody.Eq("nobody")).Count(ctx)
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleSet() {
	ctx, all := tickets()
	n, err := all.Filter(query.F("priority").Gt(1)).Update(ctx,
		query.Set("votes", query.F("votes").Add(1)), query.Set("assignee", "Grace"), Opened.SetExpr(query.Now()))
	fmt.Println(n, err)
	// Output: 2 <nil>
}
