package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Shelf struct {
	ID      int64 `bun:",pk,autoincrement"`
	Name    string
	Volumes []*Volume `bun:"rel:has-many,join:id=shelf_id"`
}

type Volume struct {
	ID      int64 `bun:",pk,autoincrement"`
	ShelfID int64
	Title   string
	Year    int
}

// Two statements, however many shelves there are: each with its two newest volumes.
func ExampleQuerySet_Prefetch() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	defer db.Close()
	check(orm.CreateTables(ctx, db, (*Shelf)(nil), (*Volume)(nil)))
	shelves := orm.Objects[Shelf](db)
	for _, name := range []string{"databases", "gardens"} {
		check(shelves.Create(ctx, &Shelf{Name: name}))
	}
	check(orm.Objects[Volume](db).BulkCreate(ctx, []*Volume{{ShelfID: 1, Title: "Locks", Year: 1981},
		{ShelfID: 1, Title: "Logs", Year: 1992}, {ShelfID: 1, Title: "Drafts", Year: 2001}, {ShelfID: 1, Title: "Replicas", Year: 1999}}))

	list, err := shelves.OrderBy("name").Prefetch("volumes", func(r orm.Related) orm.Related {
		return r.Exclude(query.F("title").Eq("Drafts")).OrderBy("-year").Limit(2)
	}).All(ctx)
	check(err)
	for _, s := range list {
		fmt.Println(s.Name, len(s.Volumes))
		for _, v := range s.Volumes {
			fmt.Println("-", v.Title, v.Year)
		}
	}
	// Output:
	// databases 2
	// - Replicas 1999
	// - Logs 1992
	// gardens 0
}
