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
