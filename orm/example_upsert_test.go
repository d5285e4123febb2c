package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleQuerySet_GetOrCreate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	for _, name := range []string{"Savepoint", "Phantom Read"} {
		band := &Band{Name: name}
		created, err := orm.Objects[Band](db).GetOrCreate(ctx, band, "name")
		fmt.Println(band.ID, created, err)
	}
	// Output:
	// 2 false <nil>
	// 3 true <nil>
}

func ExampleQuerySet_UpdateOrCreate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	song := &Song{BandID: 1, Title: "Skip Locked", Seconds: 205}
	created, err := orm.Objects[Song](db).UpdateOrCreate(ctx, song, "band_id", "title")
	fmt.Println(song.ID, created, err)
	// Output: 1 false <nil>
}

func ExampleQuerySet_BulkCreate_onConflict() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	type Chart struct {
		Title string `bun:",pk"`
		Plays int64
		Best  int64
	}
	check(orm.CreateTables(ctx, db, (*Chart)(nil)))
	charts := orm.Objects[Chart](db)
	byTitle := query.OnConflict("title")
	count := query.Set("plays", query.F("plays").Add(query.Excluded("plays")))

	rows := []*Chart{{"Nested", 1, 3}, {"Roll Me Back", 1, 1}}
	check(charts.BulkCreate(ctx, rows, byTitle.Update())) // there are none
	check(charts.BulkCreate(ctx, rows, byTitle.Update("best").Set(count)))
	check(charts.BulkCreate(ctx, []*Chart{{"Nested", 7, 7}, {"Skip Locked", 1, 5}}, byTitle.DoNothing()))
	all, err := charts.OrderBy("title").All(ctx)
	check(err)
	for _, chart := range all {
		fmt.Println(*chart)
	}
	// Output:
	// {Nested 2 3}
	// {Roll Me Back 2 1}
	// {Skip Locked 1 5}
}
