package query_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Author struct {
	ID    int64 `bun:",pk,autoincrement"`
	Name  string
	Books []*Book `bun:"rel:has-many,join:id=author_id"`
}

type Book struct {
	ID       int64 `bun:",pk,autoincrement"`
	AuthorID int64
	Title    string
	Pages    int64
}

func authors() (context.Context, orm.QuerySet[Author]) {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	check(orm.CreateTables(ctx, db, (*Author)(nil), (*Book)(nil)))
	all := orm.Objects[Author](db)
	for _, name := range []string{"Ada", "Bob", "Eve"} {
		check(all.Create(ctx, &Author{Name: name}))
	}
	check(orm.Objects[Book](db).BulkCreate(ctx, []*Book{
		{AuthorID: 1, Title: "Engines", Pages: 300}, {AuthorID: 1, Title: "Notes", Pages: 40}, {AuthorID: 2, Title: "Locks", Pages: 200},
	}))
	return ctx, all.OrderBy("name")
}

// Nobody comes twice, however many books there are.
func ExampleAny() {
	ctx, all := authors()
	long := query.F("pages").Ge(100)
	for _, cond := range []query.Cond{query.Any("books", long), query.None("books", long), query.Every("books", long)} {
		list, err := orm.Select[string](ctx, all.Filter(cond), query.F("name"))
		fmt.Println(list, err)
	}
	// Output:
	// [Ada Bob] <nil>
	// [Eve] <nil>
	// [Bob Eve] <nil>
}

func ExampleCountOf() {
	ctx, all := authors()
	list, err := orm.Select[struct {
		Name           string
		Books, Long    int64
		Pages          *int64
		Least, Longest *int64
		Mean           *float64
	}](ctx, all.Filter(query.CountOf("books").Gt(1)), query.F("name"),
		query.CountOf("books").As("books"), query.CountOf("books", query.F("pages").Ge(100)).As("long"),
		query.SumOf("books", query.F("pages")).As("pages"), query.MinOf("books", query.F("pages")).As("least"),
		query.MaxOf("books", query.F("pages")).As("longest"), query.AvgOf("books", query.F("pages")).As("mean"))
	check(err)
	for _, a := range list {
		fmt.Println(a.Name, a.Books, a.Long, *a.Pages, *a.Least, *a.Longest, *a.Mean)
	}
	// Output: Ada 2 1 340 40 300 170
}
