package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleQuerySet_Get() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	song, err := orm.Objects[Song](db).Filter(query.F("title").Eq("Nested")).Get(ctx)
	check(err)
	fmt.Println(song.Seconds)
	_, err = orm.Objects[Song](db).Filter(query.F("title").Eq("Silence")).Get(ctx)
	fmt.Println(errors.Is(err, orm.ErrNotFound), err)
	// Output:
	// 240
	// true orm: Song.Get: no such row
}

func ExampleQuerySet_Iterate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	total := 0
	for song, err := range orm.Objects[Song](db).Iterate(ctx) {
		check(err)
		total += song.Seconds
	}
	fmt.Println(total)
	// Output: 1090
}
