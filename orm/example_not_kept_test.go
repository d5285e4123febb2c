package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
)

func ExampleNotKeptError() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()
	_, err := db.Exec(ctx, "CREATE TRIGGER quiet BEFORE INSERT ON bands WHEN NEW.name = 'Loud' BEGIN SELECT RAISE(IGNORE); END")
	check(err)

	err = orm.Objects[Band](db).BulkCreate(ctx, []*Band{{Name: "Low"}, {Name: "Loud"}, {Name: "Lower"}})
	if short := (*orm.NotKeptError)(nil); errors.As(err, &short) {
		fmt.Println(short.Kept, "of", short.Sent, "are there; committed:", short.Written)
	}
	// Output: 2 of 3 are there; committed: true
}
