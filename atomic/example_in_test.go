package atomic_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

// A function that is called inside and outside of blocks asks for what only an
// outermost block can do where it is the outermost.
func ExampleIn() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	gift := func(ctx context.Context) error {
		opts := []atomic.Option{atomic.Name("gift")}
		if !atomic.In(ctx, db) {
			opts = append(opts, atomic.Retry(3))
		}
		return atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) }, opts...)
	}
	fmt.Println(gift(ctx), atomic.Do(ctx, db, gift), balance("ben"))
	// Output: <nil> <nil> 2
}

// What is slow and in vain in a block that can only be rolled back is left out.
func ExampleNeedsRollback() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	_ = atomic.Do(ctx, db, func(ctx context.Context) error {
		fmt.Println(atomic.NeedsRollback(ctx, db))
		err := add(ctx, db, "ann", -1000) // refused
		fmt.Println(atomic.NeedsRollback(ctx, db))
		return err
	})
	// Output:
	// false
	// true
}
