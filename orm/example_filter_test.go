package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleQuerySet_Filter() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	long := orm.Objects[Song](db).Filter(query.F("seconds").Ge(200))
	songs, err := long.Filter(query.F("band.name").StartsWith("The")).OrderBy("-seconds").All(ctx)
	check(err)
	for _, s := range songs {
		fmt.Println(s.Title)
	}
	// Output:
	// Deadlock Blues
	// Skip Locked
}

func ExampleQuerySet_Exclude() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	// No song has a note: NULL is not "live", so Exclude keeps them all.
	n, err := orm.Objects[Song](db).Exclude(query.F("note").Eq("live")).Count(ctx)
	fmt.Println(n, err)
	// Output: 5 <nil>
}
