// Command locks shows who waits for a locked row, and who does not.
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
	order, err := store.Buy(ctx, db, 1, "ann", 2)
	demo.Check(err)

	demo.Check(atomic.Do(ctx, db, func(holder context.Context) error {
		if err := orm.Lock(holder, db, order); err != nil { // read again, and locked
			return err
		}
		// Somebody else: ctx is from outside, so that this is no part of the block.
		err := store.Cancel(ctx, db, order.ID, orm.NoWait)
		fmt.Println("NoWait:", errors.Is(err, dialect.ErrLockNotAvailable))
		return nil
	}))

	fmt.Println("cancel:", store.Cancel(ctx, db, order.ID))
	fmt.Println("again:", errors.Is(store.Cancel(ctx, db, order.ID), orm.ErrNotFound))

	_, err = orm.Objects[store.Show](db).SelectForUpdate().Find(ctx, 1)
	fmt.Println("no block:", errors.Is(err, atomic.ErrNotInBlock))
}
