package atomic_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

// A dry run: everything is done, looked at and undone.
func ExampleSetRollback() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := atomic.SetRollback(ctx, db, true); err != nil {
			return err
		}
		return add(ctx, db, "ben", 1)
	})
	fmt.Println(err, balance("ben"))
	// Output: <nil> 0
}
