package atomic_test

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
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
