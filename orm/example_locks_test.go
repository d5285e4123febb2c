package orm_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleQuerySet_SelectForUpdate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	locked := orm.Objects[Song](db).Filter(query.F("title").Eq("Nested")).SelectForUpdate(orm.Wait(time.Second))
	_, err := locked.Get(ctx)
	fmt.Println(errors.Is(err, atomic.ErrNotInBlock))
	err = atomic.Do(ctx, db, func(ctx context.Context) error {
		song, err := locked.Get(ctx)
		if errors.Is(err, dialect.ErrLockNotAvailable) {
			return err // somebody else has had it for a second
		}
		check(err)
		fmt.Println(song.Title, "is ours until the block ends")
		return nil
	})
	check(err)
	// Output:
	// true
	// Nested is ours until the block ends
}

func ExampleQuerySet_AlsoLock() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	// Leave out songs that somebody else has locked, but fail at once when
	// their band is.
	songs := orm.Objects[Song](db).Related("band").
		SelectForUpdate(orm.SkipLocked, orm.Of("self")).
		AlsoLock(orm.NoWait, orm.Of("band"))
	check(atomic.Do(ctx, db, func(ctx context.Context) error {
		all, err := songs.All(ctx)
		fmt.Println(len(all), err)
		return err
	}))
	// Output: 5 <nil>
}

func ExampleLock() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	song, err := orm.Objects[Song](db).First(ctx) // read some time ago
	check(err)
	_, err = orm.Objects[Song](db).Update(ctx, query.Set("played", 50))
	check(err)
	check(atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := orm.Lock(ctx, db, song); err != nil {
			return err
		}
		fmt.Println(song.Played)
		return nil
	}))
	// Output: 50
}

// The weaker locks are PostgreSQL's; Share is everybody's. What a server cannot
// do is refused before anything is sent.
func ExampleLockOption() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	check(atomic.Do(ctx, db, func(ctx context.Context) error {
		for _, option := range []orm.LockOption{orm.Share, orm.NoKey, orm.KeyShare} {
			_, err := orm.Objects[Song](db).SelectForUpdate(option).All(ctx)
			fmt.Println(err == nil, errors.Is(err, dialect.ErrUnsupported))
		}
		return nil
	}))
	// Output:
	// true false
	// false true
	// false true
}

// Two options that contradict each other are found when the query is built.
func ExampleQuerySet_SelectForUpdate_contradiction() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	err := orm.Objects[Song](db).SelectForUpdate(orm.NoWait, orm.SkipLocked).Err()
	fmt.Println(errors.Is(err, orm.ErrLockOptions))
	// Output: true
}
