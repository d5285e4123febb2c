package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

func ExampleOnCommit() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		err := atomic.OnCommit(ctx, db, func(context.Context) error {
			fmt.Println("a message is sent")
			return nil
		})
		fmt.Println("the block is still open")
		return err
	})
	fmt.Println(err)
	// Output:
	// the block is still open
	// a message is sent
	// <nil>
}

func ExampleOnRollback() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		err := atomic.OnRollback(ctx, db, func(context.Context) error {
			fmt.Println("the file that was written is removed")
			return nil
		})
		if err != nil {
			return err
		}
		return errors.New("no more room")
	})
	fmt.Println(err)
	// Output:
	// the file that was written is removed
	// no more room
}

// Each hook runs whatever becomes of the one before it; what fails is logged.
func ExampleRobust() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		cache := func(context.Context) error { return errors.New("the cache is down") }
		if err := atomic.OnCommit(ctx, db, cache, atomic.Robust()); err != nil {
			return err
		}
		return atomic.OnCommit(ctx, db, func(context.Context) error {
			fmt.Println("a message is sent all the same")
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// a message is sent all the same
	// <nil>
}

// The data is committed although Do returns an error: the hook has failed.
func ExampleHookError() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	var failed *atomic.HookError
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		return atomic.OnCommit(ctx, db, func(context.Context) error { return errors.New("the cache is down") })
	})
	fmt.Println(errors.As(err, &failed), failed.Committed)
	// Output: true true
}
