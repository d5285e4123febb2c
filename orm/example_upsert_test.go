package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
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
