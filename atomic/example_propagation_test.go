package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

func ExamplePropagation() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	post := func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
			atomic.Propagation(atomic.Mandatory))
	}
	fmt.Println(errors.Is(post(ctx), atomic.ErrNotInBlock), atomic.Do(ctx, db, post))
	// Output: true <nil>
}
