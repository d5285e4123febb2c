package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleAggregate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db).Filter(query.F("band.name").Eq("Savepoint"))
	average, err := orm.Aggregate[float64](ctx, songs, query.Avg(query.F("seconds")))
	fmt.Println(average, err)
	// Output: 190 <nil>
}
