package query_test

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/query"
)

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

// A condition has a name like any other value, and And puts several into one.
func ExampleAnd() {
	ctx, all := tickets()
	urgent := func(since time.Time) query.Cond {
		return query.And(query.F("priority").Le(2), query.F("opened").Ge(since))
	}
	show(ctx, all.Filter(urgent(time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC))))
	// Output: crash on exit
}

// The comparisons, of a name as of a typed column.
func ExampleExpr() {
	ctx, all := tickets()
	votes := query.F("votes")
	for _, cond := range []query.Cond{
		votes.Ne(9), votes.Lt(7), votes.Between(2, 7), votes.In(2, 9), votes.NotIn(2, 9), votes.Sub(2).Eq(0),
		query.F("assignee").IsNull(), query.F("assignee").IsNotNull(),
		query.F("title").IContains("CRASH"), query.F("title").Like("Crash%"), query.F("title").StartsWith("crash"),
	} {
		n, err := all.Filter(cond).Count(ctx)
		check(err)
		fmt.Print(n, " ")
	}
	// Output: 2 1 2 2 1 1 2 1 2 1 1
}

var Votes = query.Column(func(t *Ticket) *int { return &t.Votes })

// What the compiler does not let pass: Votes.Eq("many").
func ExampleTypedColumn() {
	ctx, all := tickets()
	for _, cond := range []query.Cond{
		Votes.Eq(9), Votes.Ne(9), Votes.Ge(7), Votes.Gt(7), Votes.Le(7), Votes.Lt(7),
		Votes.Between(2, 7), Votes.In(2, 9), Votes.NotIn(2, 9), Votes.IsNull(), Votes.IsNotNull(),
		Votes.Expr().Add(1).Eq(10),
	} {
		n, err := all.Filter(cond).Count(ctx)
		check(err)
		fmt.Print(n, " ")
	}
	// Output: 1 2 2 1 2 1 2 2 1 0 3 1
}
