package orm_test

import (
	"context"
	"fmt"
)

func ExampleDB_Exec() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	// ? is the placeholder on every engine.
	res, err := db.Exec(ctx, "UPDATE songs SET played = 0 WHERE title LIKE ?", "%lock%")
	check(err)
	fmt.Println(res.RowsAffected())
	// Output: 2 <nil>
}

func ExampleDB_QueryRow() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	var songs, seconds int
	check(db.QueryRow(ctx, "SELECT COUNT(*), SUM(seconds) FROM songs WHERE played > ?", 0).Scan(&songs, &seconds))
	fmt.Println(songs, seconds)
	// Output: 3 530
}

func ExampleDB_Query() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	rows, err := db.Query(ctx, "SELECT title FROM songs WHERE seconds < ? ORDER BY title", 200)
	check(err)
	defer rows.Close()
	for rows.Next() {
		var title string
		check(rows.Scan(&title))
		fmt.Println(title)
	}
	check(rows.Err())
	// Output:
	// 100% Durable
	// Roll Me Back
}
