package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

func ExampleQuerySet_After() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db).OrderBy("-played", "title")
	var last *Song // nil is the beginning
	for {
		page, err := songs.After(last).Limit(2).All(ctx)
		check(err)
		if len(page) == 0 {
			break
		}
		titles := make([]string, len(page))
		for i, song := range page {
			titles[i] = song.Title
		}
		fmt.Println(titles)
		last = page[len(page)-1]
	}
	// Output:
	// [Roll Me Back Skip Locked]
	// [100% Durable Deadlock Blues]
	// [Nested]
}

func ExampleQuerySet_Before() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db).OrderBy("title")
	here, err := songs.After(nil).First(ctx)
	check(err)
	page, err := songs.Before(nil).Limit(2).All(ctx) // the last ones
	check(err)
	fmt.Println(here.Title, "…", page[0].Title, page[1].Title)
	// Output: 100% Durable … Roll Me Back Skip Locked
}

// A handler gives the place of the last row to its client, and goes on from there
// when it comes back.
func ExampleQuerySet_Cursor() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	list := func(cursor string) (titles []string, next string, err error) {
		songs := orm.Objects[Song](db).OrderBy("-played")
		page, err := songs.AfterCursor(cursor).Limit(3).All(ctx)
		if err != nil || len(page) == 0 {
			return nil, "", err
		}
		for _, song := range page {
			titles = append(titles, song.Title)
		}
		next, err = songs.Cursor(page[len(page)-1])
		return titles, next, err
	}
	titles, next, err := list("")
	fmt.Println(titles, err)
	titles, _, err = list(next)
	fmt.Println(titles, err)
	_, _, err = list("made-up")
	fmt.Println(errors.Is(err, orm.ErrCursor)) // the client's mistake: status 400

	songs := orm.Objects[Song](db).OrderBy("-played").BeforeCursor(next).Limit(1)
	song, err := songs.First(ctx)
	fmt.Println(song.Title, err)
	// Output:
	// [Roll Me Back Skip Locked 100% Durable] <nil>
	// [Nested Deadlock Blues] <nil>
	// true
	// Skip Locked <nil>
}

func ExampleCursorKey() {
	ctx := context.Background()
	secret := []byte("from the program's configuration")
	db, err := orm.Open(ctx, sqlite.Open(":memory:"), orm.CursorKey(secret))
	check(err)
	defer db.Close()
	check(orm.CreateTables(ctx, db, (*Band)(nil)))

	bands := orm.Objects[Band](db).OrderBy("name")
	cursor, err := bands.Cursor(&Band{Name: "nobody reads this"})
	fmt.Println(err, bands.AfterCursor(cursor).Err())
	fmt.Println(errors.Is(bands.AfterCursor(cursor+"A").Err(), orm.ErrCursor))
	// Output:
	// <nil> <nil>
	// true
}
