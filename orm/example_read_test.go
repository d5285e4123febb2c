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

func ExampleQuerySet_Exists() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	there, err := orm.Objects[Song](db).Filter(query.F("seconds").Gt(300)).Exists(ctx)
	fmt.Println(there, err)
	// Output: true <nil>
}

// Get is for the one row that there is.
func ExampleQuerySet_Get_several() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	_, err := orm.Objects[Song](db).Filter(query.F("band.name").Eq("The Waits")).Get(ctx)
	fmt.Println(errors.Is(err, orm.ErrMultipleRows))
	// Output: true
}

// A NULL is not read as zero.
func ExampleScanError() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	none := orm.Objects[Song](db).Filter(query.F("seconds").Lt(0))
	_, err := orm.Aggregate[int64](ctx, none, query.Max(query.F("seconds")))
	var wrong *orm.ScanError
	if errors.As(err, &wrong) {
		fmt.Println(wrong.From, wrong.To)
	}
	longest, err := orm.Aggregate[*int64](ctx, none, query.Max(query.F("seconds")))
	fmt.Println(longest == nil, err)
	// Output:
	// NULL int64
	// true <nil>
}
