package orm_test

import (
	"context"
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
