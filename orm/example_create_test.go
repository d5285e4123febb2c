package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
)

func ExampleQuerySet_Create() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	band := &Band{Name: "Phantom Read"}
	check(orm.Objects[Band](db).Create(ctx, band))
	fmt.Println(band.ID)
	err := orm.Objects[Band](db).Create(ctx, &Band{Name: "Phantom Read"})
	fmt.Println(errors.Is(err, dialect.ErrUniqueViolation))
	// Output:
	// 3
	// true
}

func ExampleQuerySet_BulkCreate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	bands := []*Band{{Name: "A"}, {Name: "B"}, {Name: "C"}}
	check(orm.Objects[Band](db).BulkCreate(ctx, bands))
	fmt.Println(bands[0].ID, bands[1].ID, bands[2].ID)
	// Output: 3 4 5
}
