package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleCreateIndex() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	check(orm.CreateIndex(ctx, db, (*Song)(nil), "played", "-seconds"))
	plan, err := orm.Objects[Song](db).Filter(query.F("played").Eq(0)).Explain(ctx)
	check(err)
	fmt.Print(plan)
	// Output: SEARCH songs USING INDEX idx_songs_played_seconds_desc (played=?)
}

func ExampleCheck() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	_, err := db.Exec(ctx, "ALTER TABLE songs DROP COLUMN seconds") // a migration that the model has not heard of
	check(err)
	var differs *orm.CheckError
	if errors.As(orm.Check(ctx, db, (*Song)(nil)), &differs) {
		for _, d := range differs.Differences {
			fmt.Println(d.Kind == orm.NoColumn, d)
		}
	}
	// Output: true Song.seconds: there is no such column
}

func ExampleIndex() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	// A worker claims songs with Filter(played = 0), OrderBy("id") and SkipLocked.
	claim := orm.Index{Model: (*Song)(nil), Fields: []string{"played", "id"}}
	var differs *orm.CheckError
	if errors.As(orm.Check(ctx, db, (*Song)(nil), claim), &differs) {
		fmt.Println(differs.Differences[0])
	}
	check(orm.CreateIndex(ctx, db, claim.Model, claim.Fields...))
	fmt.Println(orm.Check(ctx, db, (*Song)(nil), claim))
	// Output:
	// Song (table songs): there is no index that begins with the columns: the model has played, id
	// <nil>
}
