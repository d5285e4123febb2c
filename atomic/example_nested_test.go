package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// A statement that may fail goes into a nested block: its failure leaves the
// outer one clean.
func ExampleDo_nested() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			_, err := db.Exec(ctx, "INSERT INTO account (owner, balance) VALUES ('ben', 5)")
			return err
		})
		if errors.Is(err, dialect.ErrUniqueViolation) {
			return add(ctx, db, "ben", 5)
		}
		return err
	})
	fmt.Println(err, balance("ben"))
	// Output: <nil> 5
}

func ExampleNoSavepoint() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_ = atomic.Do(ctx, db, func(context.Context) error { return errors.New("no") }, atomic.NoSavepoint())
		return add(ctx, db, "ben", 1)
	})
	fmt.Println(errors.Is(err, atomic.ErrRollbackRequired), balance("ben"))
	// Output: true 0
}
