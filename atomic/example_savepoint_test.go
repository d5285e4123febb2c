package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

func ExampleSavepoint() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		for _, amount := range []int{-30, -100, -20} {
			sp, err := atomic.Savepoint(ctx, db)
			if err != nil {
				return err
			}
			if add(ctx, db, "ann", amount) == nil {
				err = sp.Release(ctx)
			} else {
				err = sp.Rollback(ctx) // clears the mark of the failed statement
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(err, balance("ann"))
	// Output: <nil> 50
}

// A savepoint that was released is gone.
func ExamplePoint() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		sp, err := atomic.Savepoint(ctx, db)
		if err != nil {
			return err
		}
		if err := sp.Release(ctx); err != nil {
			return err
		}
		return sp.Rollback(ctx)
	})
	fmt.Println(errors.Is(err, atomic.ErrSavepointEnded))
	// Output: true
}
