package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

// What is not here, bun has: inside a block its queries belong to the block.
func ExampleDB_Bun() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		var bands []struct {
			Name  string
			Songs int
		}
		err := db.Bun().NewSelect().
			TableExpr("songs").Join("JOIN bands ON bands.id = songs.band_id").
			ColumnExpr("bands.name, COUNT(*) AS songs").
			GroupExpr("bands.name").OrderExpr("bands.name").
			Scan(ctx, &bands)
		fmt.Println(bands)
		return err
	})
	fmt.Println(err)
	n, err := orm.Objects[Band](db).Count(ctx)
	fmt.Println(n, err)
	// Output:
	// [{Savepoint 3} {The Waits 2}]
	// <nil>
	// 2 <nil>
}
