package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
)

func ExampleLockWaits() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	waits, err := orm.LockWaits(ctx, db)
	for _, w := range waits {
		fmt.Printf("%s waits for %s, which has a lock on %s for %s\n", w.Waiting.Block, w.Holding.Block, w.Table, w.Holding.Age)
	}
	fmt.Println(errors.Is(err, dialect.ErrUnsupported)) // SQLite does not know
	// Output: true
}
