package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
)

func ExampleQuerySet_Save() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db)
	song, err := songs.First(ctx)
	check(err)
	song.Title = "Skip Locked (live)"
	check(songs.Save(ctx, song))
	song.Seconds = 210
	check(songs.Save(ctx, song, "seconds")) // only this column
	again, err := songs.First(ctx)
	check(err)
	fmt.Println(again.Title, again.Seconds)
	// Output: Skip Locked (live) 210
}

func ExampleQuerySet_BulkSave() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db)
	all, err := songs.OrderBy("id").All(ctx)
	check(err)
	for i, song := range all {
		song.Played += i
	}
	check(songs.BulkSave(ctx, all, "played"))
	last, err := songs.OrderBy("-id").First(ctx)
	check(err)
	fmt.Println(last.Played)
	// Output: 5
}
