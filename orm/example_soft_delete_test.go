package orm_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Poster is not deleted from its table by Delete: models.SoftDelete has the tag
// soft_delete.
type Poster struct {
	models.AutoID
	models.SoftDelete
	Name string `bun:"type:varchar(40),unique"`
}

func posters(ctx context.Context) (*orm.DB, orm.QuerySet[Poster]) {
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	check(orm.CreateTables(ctx, db, (*Poster)(nil)))
	q := orm.Objects[Poster](db)
	check(q.BulkCreate(ctx, []*Poster{{Name: "spring"}, {Name: "summer"}, {Name: "autumn"}}))
	_, err = q.Filter(query.F("name").StartsWith("s")).Delete(ctx)
	check(err)
	return db, q
}

func ExampleQuerySet_WithDeleted() {
	ctx := context.Background()
	db, posters := posters(ctx)
	defer db.Close()

	living, err := posters.Count(ctx)
	check(err)
	all, err := posters.WithDeleted().Count(ctx)
	fmt.Println(living, all, err)
	// Output: 1 3 <nil>
}

func ExampleQuerySet_OnlyDeleted() {
	ctx := context.Background()
	db, posters := posters(ctx)
	defer db.Close()

	bin, err := posters.OnlyDeleted().OrderBy("name").All(ctx)
	check(err)
	for _, p := range bin {
		fmt.Println(p.Name, !p.DeletedAt.IsZero())
	}
	// Output:
	// spring true
	// summer true
}

func ExampleQuerySet_Restore() {
	ctx := context.Background()
	db, posters := posters(ctx)
	defer db.Close()

	n, err := posters.Filter(query.F("name").Eq("spring")).Restore(ctx)
	check(err)
	living, err := posters.Count(ctx)
	fmt.Println(n, living, err)
	// Output: 1 2 <nil>
}

func ExampleQuerySet_RestoreRow() {
	ctx := context.Background()
	db, posters := posters(ctx)
	defer db.Close()

	p, err := posters.Get(ctx)
	check(err)
	check(posters.DeleteRow(ctx, p))
	fmt.Println(p.DeletedAt.IsZero())
	check(posters.RestoreRow(ctx, p))
	fmt.Println(p.DeletedAt.IsZero())
	// Output:
	// false
	// true
}

// The rows that All reads are those that are deleted: who wants the marked ones gone too
// asks for them.
func ExampleQuerySet_ForceDelete() {
	ctx := context.Background()
	db, posters := posters(ctx)
	defer db.Close()

	n, err := posters.OnlyDeleted().Filter(query.F("deleted_at").Le(time.Now())).ForceDelete(ctx)
	check(err)
	all, err := posters.WithDeleted().Count(ctx)
	fmt.Println(n, all, err)
	// Output: 2 1 <nil>
}

func ExampleQuerySet_ForceDeleteRow() {
	ctx := context.Background()
	db, posters := posters(ctx)
	defer db.Close()

	p, err := posters.OnlyDeleted().First(ctx)
	check(err)
	check(posters.ForceDeleteRow(ctx, p))
	fmt.Println(posters.WithDeleted().Count(ctx))
	// Output: 2 <nil>
}

// A row that is marked still holds its unique key.
func Example_aDeletedRowHoldsItsKey() {
	ctx := context.Background()
	db, posters := posters(ctx)
	defer db.Close()

	row := &Poster{Name: "spring"}
	_, err := posters.GetOrCreate(ctx, row, "name")
	fmt.Println(errors.Is(err, orm.ErrDeleted))
	created, err := posters.WithDeleted().UpdateOrCreate(ctx, row, "name")
	fmt.Println(created, err, row.DeletedAt.IsZero())
	// Output:
	// true
	// false <nil> true
}

type Wall struct {
	models.AutoID
	Sheets []*Sheet `bun:"rel:has-many,join:id=wall_id"`
}

type Sheet struct {
	models.AutoID
	models.SoftDelete
	WallID int64
	Text   string
}

func walls(ctx context.Context) (*orm.DB, orm.QuerySet[Wall]) {
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	check(orm.CreateTables(ctx, db, (*Wall)(nil), (*Sheet)(nil)))
	wall := &Wall{}
	check(orm.Objects[Wall](db).Create(ctx, wall))
	sheets := []*Sheet{{WallID: wall.ID, Text: "here"}, {WallID: wall.ID, Text: "torn off"}}
	check(orm.Objects[Sheet](db).BulkCreate(ctx, sheets))
	check(orm.Objects[Sheet](db).DeleteRow(ctx, sheets[1]))
	return db, orm.Objects[Wall](db)
}

func ExampleRelated_WithDeleted() {
	ctx := context.Background()
	db, walls := walls(ctx)
	defer db.Close()

	wall, err := walls.Prefetch("sheets", func(r orm.Related) orm.Related { return r.WithDeleted() }).Get(ctx)
	check(err)
	fmt.Println(len(wall.Sheets))
	// Output: 2
}

func ExampleRelated_OnlyDeleted() {
	ctx := context.Background()
	db, walls := walls(ctx)
	defer db.Close()

	wall, err := walls.Prefetch("sheets", func(r orm.Related) orm.Related { return r.OnlyDeleted() }).Get(ctx)
	check(err)
	fmt.Println(wall.Sheets[0].Text)
	// Output: torn off
}
