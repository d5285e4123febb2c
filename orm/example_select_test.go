package orm_test

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleSelect() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	longest, err := orm.Select[struct {
		Name    string
		Songs   int
		Longest int
	}](ctx, orm.Objects[Song](db).GroupBy("band.name").Having(query.Count().Gt(1)).OrderBy("-longest"),
		query.F("band.name"), query.Count().As("songs"), query.Max(query.F("seconds")).As("longest"))
	fmt.Println(longest, err)
	for title, err := range orm.IterateSelect[string](ctx, orm.Objects[Song](db).OrderBy("title").Limit(2), query.F("title")) {
		fmt.Println(title, err)
	}
	// Output:
	// [{The Waits 2 320} {Savepoint 3 240}] <nil>
	// 100% Durable <nil>
	// Deadlock Blues <nil>
}

func ExampleScan() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	const text = "SELECT title, seconds / 60 AS minutes FROM songs WHERE seconds > ? ORDER BY title"
	type row struct {
		Title   string
		Minutes int
	}
	list, err := orm.Scan[row](ctx, db, text, 200)
	fmt.Println(list, err)
	for r, err := range orm.IterateScan[row](ctx, db, text, 300) {
		fmt.Println(r.Title, err)
	}
	// Output:
	// [{Deadlock Blues 5} {Nested 4}] <nil>
	// Deadlock Blues <nil>
}

// Charted is a band with what is computed for it.
type Charted struct {
	bun.BaseModel `bun:"table:bands"`
	ID            int64 `bun:",pk"`
	Name          string
	Plays         int `bun:",scanonly"`
}

func ExampleQuerySet_Annotate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	plays := query.Select(orm.Objects[Song](db).Filter(query.F("band_id").Eq(query.Outer("id"))), query.Sum(query.F("played")))
	bands, err := orm.Objects[Charted](db).Annotate("plays", plays).Filter(query.F("plays").Gt(0)).OrderBy("-plays").All(ctx)
	check(err)
	for _, b := range bands {
		fmt.Println(b.Name, b.Plays)
	}
	// Output:
	// Savepoint 10
	// The Waits 3
}

func ExampleQuerySet_Join() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db)
	longest := query.Select(songs.GroupBy("band_id"), query.F("band_id"), query.Max(query.F("seconds")).As("seconds_of_longest"))
	of := query.F("band_id").Eq(query.F("longest.band_id"))
	titles, err := orm.Select[string](ctx, songs.Join("longest", longest, of, query.F("seconds").Eq(query.F("longest.seconds_of_longest"))).OrderBy("title"), query.F("title"))
	fmt.Println(titles, err)
	n, err := songs.LeftJoin("longest", longest.Filter(query.F("seconds_of_longest").Gt(300)), of).Filter(query.F("longest.band_id").IsNull()).Count(ctx)
	fmt.Println(n, err)
	// Output:
	// [Deadlock Blues Nested] <nil>
	// 3 <nil>
}
