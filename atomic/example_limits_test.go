package atomic_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

func ExampleTimeout() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := add(ctx, db, "ben", 1); err != nil {
			return err
		}
		<-ctx.Done() // something slow that respects ctx
		return nil
	}, atomic.Timeout(20*time.Millisecond))
	fmt.Println(errors.Is(err, atomic.ErrTimeout), errors.Is(err, context.DeadlineExceeded), balance("ben"))
	// Output: true true 0
}

func ExampleIdleTimeout() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	released := make(chan struct{})
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_ = atomic.OnRollback(ctx, db, func(context.Context) error { return nil })
		if err := add(ctx, db, "ben", 1); err != nil {
			return err
		}
		go func() { // somebody else gets the lock although fn goes on
			defer close(released)
			_ = add(context.Background(), db, "ann", 0)
		}()
		<-released
		return add(ctx, db, "ben", 1)
	}, atomic.IdleTimeout(20*time.Millisecond))
	fmt.Println(errors.Is(err, atomic.ErrIdleTimeout), balance("ben"))
	// Output: true 0
}

func ExampleLockTimeout() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	_ = atomic.Do(ctx, db, func(held context.Context) error {
		if err := add(held, db, "ben", 1); err != nil {
			return err
		}
		err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
			atomic.LockTimeout(10*time.Millisecond), atomic.Name("the other"))
		fmt.Println(errors.Is(err, dialect.ErrLockNotAvailable))
		return nil
	})
	// Output: true
}
