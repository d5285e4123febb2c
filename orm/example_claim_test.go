package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	// Several workers can run this at the same time: each gets songs of its own.
	claim := func(ctx context.Context) error {
		songs, err := orm.Objects[Song](db).
			Filter(query.F("played").Eq(0)).
			OrderBy("seconds").
			Limit(1).
			SelectForUpdate(orm.SkipLocked).
			All(ctx)
		if err != nil {
			return err
		}
		for _, song := range songs {
			fmt.Println("playing", song.Title)
			song.Played++
			if err := orm.Objects[Song](db).Save(ctx, song); err != nil {
				return err
			}
		}
		return nil
	}
	check(atomic.Do(ctx, db, claim))
	check(atomic.Do(ctx, db, claim))
	// Output:
	// playing Nested
	// playing Deadlock Blues
}
