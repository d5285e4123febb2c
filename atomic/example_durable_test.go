package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

func ExampleDurable() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	charge := func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(context.Context) error { return nil }, atomic.Durable())
	}
	fmt.Println(charge(ctx))
	_ = atomic.Do(ctx, db, func(ctx context.Context) error {
		fmt.Println(errors.Is(charge(ctx), atomic.ErrDurable))
		return nil
	})
	// Output:
	// <nil>
	// true
}
