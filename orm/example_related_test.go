package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
)

func ExampleQuerySet_Related() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	song, err := orm.Objects[Song](db).Related("band").OrderBy("band.name", "title").First(ctx)
	check(err)
	fmt.Println(song.Title, "by", song.Band.Name)
	// Output: 100% Durable by Savepoint
}
