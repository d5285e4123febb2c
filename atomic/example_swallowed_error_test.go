package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// The error of a statement cannot get lost: the block is rolled back even if fn
// ignores it.
func ExampleDo_swallowedError() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_ = add(ctx, db, "ann", -1000)
		_ = add(ctx, db, "ben", 1000)
		return nil
	})
	fmt.Println(errors.Is(err, atomic.ErrRollbackRequired), errors.Is(err, dialect.ErrCheckViolation), balance("ben"))
	// Output: true true 0
}
