package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleQuerySet_Update() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	n, err := orm.Objects[Song](db).Filter(query.F("played").Gt(0)).Update(ctx,
		query.Set("played", query.F("played").Add(1)),
		query.Set("note", "encore"))
	fmt.Println(n, err)
	// Output: 3 <nil>
}
