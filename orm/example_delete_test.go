package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleQuerySet_Delete() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	n, err := orm.Objects[Song](db).Filter(query.F("band.name").Eq("The Waits")).Delete(ctx)
	fmt.Println(n, err)
	// Output: 2 <nil>
}
