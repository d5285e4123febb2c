package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleQuerySet_OrderBy() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	sort := "-duration" // as a user typed it
	_, err := orm.Objects[Song](db).OrderBy(sort).All(ctx)
	var unknown *query.FieldError
	if errors.As(err, &unknown) {
		fmt.Println(unknown)
	}
	// Output: Song has no field "duration"; choices are id, created_at, updated_at, band_id, title, seconds, played, note, band
}
