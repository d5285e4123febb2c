package orm_test

import (
	"context"
	"errors"
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

// PostgreSQL cannot lock rows that stand for several, so no engine does (rule L6).
func ExampleQuerySet_Distinct() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	played := orm.Objects[Song](db).Filter(query.F("played").Gt(0)).Distinct()
	n, err := played.Count(ctx)
	fmt.Println(n, err)
	fmt.Println(errors.Is(played.SelectForUpdate().Err(), orm.ErrLockOptions))
	// Output:
	// 3 <nil>
	// true
}

// A mistake in the building is kept, and returned by whatever would send.
func ExampleQuerySet_Err() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	fmt.Println(orm.Objects[Song](db).Filter(query.F("duration").Eq(1)).Err() != nil)
	// Output: true
}
