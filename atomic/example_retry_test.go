package atomic_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

func ExampleRetry() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		fmt.Println("attempt", atomic.Attempt(ctx, db))
		return add(ctx, db, "ben", 1)
	}, atomic.Retry(5))
	fmt.Println(err, balance("ben"))
	// Output:
	// attempt 1
	// <nil> 1
}

func ExampleRetryPolicy() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
		atomic.RetryPolicy{Max: 10, Base: 5 * time.Millisecond, Cap: time.Second, Locks: true})
	fmt.Println(err, balance("ben"))
	// Output: <nil> 1
}

// After the last attempt the error says so, and what each met.
func ExampleRetryPolicy_exhausted() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	_ = atomic.Do(ctx, db, func(held context.Context) error {
		if err := add(held, db, "ben", 1); err != nil {
			return err
		}
		err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
			atomic.RetryPolicy{Max: 2, Base: time.Millisecond, Locks: true}, atomic.LockTimeout(time.Millisecond))
		fmt.Println(errors.Is(err, atomic.ErrRetriesExhausted), errors.Is(err, dialect.ErrLockNotAvailable))
		return nil
	})
	// Output: true true
}
