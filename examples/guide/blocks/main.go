// Command blocks shows how a block ends.
package main

import (
	"context"
	"errors"
	"fmt"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
)

func main() {
	ctx := context.Background()
	db := demo.Open(ctx)
	defer db.Close()
	orders := orm.Objects[store.Order](db)
	count := func() int64 {
		n, err := orders.Count(ctx)
		demo.Check(err)
		return n
	}

	// Two orders, or none: Buy is a block inside this one.
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if _, err := store.Buy(ctx, db, 1, "ann", 2); err != nil {
			return err
		}
		_, err := store.Buy(ctx, db, 2, "ann", 3)
		return err
	})
	fmt.Println("error:", errors.Is(err, store.ErrSoldOut), count())

	// A panic rolls back too, and goes on.
	func() {
		defer func() { fmt.Println("panic:", recover(), count()) }()
		_ = atomic.Do(ctx, db, func(ctx context.Context) error {
			_, _ = store.Buy(ctx, db, 1, "ann", 2)
			panic("a bug")
		})
	}()

	// An error that is ignored is not forgotten.
	shows := orm.Objects[store.Show](db)
	err = atomic.Do(ctx, db, func(ctx context.Context) error {
		_ = shows.Create(ctx, &store.Show{Title: "Hamlet"}) // there is one
		return nil
	})
	fmt.Println("ignored:", errors.Is(err, atomic.ErrRollbackRequired), errors.Is(err, dialect.ErrUniqueViolation))

	// One that is expected goes into a block of its own: only that is undone.
	err = atomic.Do(ctx, db, func(ctx context.Context) error {
		_, err := store.Buy(ctx, db, 2, "ben", 3)
		if errors.Is(err, store.ErrSoldOut) {
			_, err = store.Buy(ctx, db, 1, "ben", 3)
		}
		return err
	})
	fmt.Println("expected:", err, count())
}
