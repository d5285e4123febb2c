package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleQuerySet_Find() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	song, err := orm.Objects[Song](db).Related("band").Find(ctx, 3)
	check(err)
	fmt.Println(song.Title, "by", song.Band.Name)
	_, err = orm.Objects[Song](db).Find(ctx, 6)
	fmt.Println(errors.Is(err, orm.ErrNotFound))
	// Output:
	// Roll Me Back by Savepoint
	// true
}

func ExampleFindMany() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs, err := orm.FindMany(ctx, orm.Objects[Song](db), []int64{4, 2, 77})
	check(err)
	fmt.Println(len(songs), songs[2].Title, songs[77] == nil)
	// Output: 2 Deadlock Blues true
}

func ExampleQuerySet_Refresh() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db)
	song, err := songs.Find(ctx, 1)
	check(err)
	_, err = songs.Update(ctx, query.Set("played", query.F("played").Add(1)))
	check(err)
	check(songs.Refresh(ctx, song))
	fmt.Println(song.Played)
	// Output: 4
}

func ExampleQuerySet_DeleteRow() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db)
	song, err := songs.Find(ctx, 1)
	check(err)
	check(songs.DeleteRow(ctx, song))
	fmt.Println(errors.Is(songs.DeleteRow(ctx, song), orm.ErrNotFound))
	// Output: true
}
