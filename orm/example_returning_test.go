package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Several workers can run this at the same time: each gets songs of its own.
func ExampleQuerySet_UpdateReturning() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs, err := orm.Objects[Song](db).
		Filter(query.F("played").Eq(0)).
		OrderBy("-seconds").
		Limit(2).
		SelectForUpdate(orm.SkipLocked).
		UpdateReturning(ctx, query.Set("played", 1))
	check(err)
	for _, song := range songs {
		fmt.Println(song.Title, song.Played)
	}
	// Output:
	// Deadlock Blues 1
	// Nested 1
}

func ExampleQuerySet_DeleteReturning() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs, err := orm.Objects[Song](db).OrderBy("played").Limit(1).DeleteReturning(ctx)
	check(err)
	fmt.Println(len(songs), songs[0].Played)
	// Output: 1 0
}
