// Command nesting shows what a block can be inside another one.
package main

import (
	"context"
	"errors"
	"fmt"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

func main() {
	ctx := context.Background()
	db := demo.Open(ctx)
	defer db.Close()
	buy := func(ctx context.Context) error {
		_, err := store.Buy(ctx, db, 1, "ann", 1)
		return err
	}

	// Mandatory: a part of somebody's block, and never a block by itself.
	err := atomic.Do(ctx, db, buy, atomic.Propagation(atomic.Mandatory))
	fmt.Println("Mandatory:", errors.Is(err, atomic.ErrNotInBlock))

	// Durable: committed when it returns, and so never inside a block.
	pay := func(ctx context.Context) error { return atomic.Do(ctx, db, buy, atomic.Durable()) }
	fmt.Println("Durable:", pay(ctx), errors.Is(atomic.Do(ctx, db, pay), atomic.ErrDurable))

	// Independent: a transaction of its own; it stays when the outer one goes.
	err = atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := atomic.Do(ctx, db, buy, atomic.Propagation(atomic.Independent)); err != nil {
			return err
		}
		if err := buy(ctx); err != nil {
			return err
		}
		return atomic.Rollback // undo the block, without an error
	})
	demo.Check(err)
	orders, err := orm.Objects[store.Order](db).Count(ctx)
	fmt.Println("Independent:", err, orders)

	// A ctx belongs to its block. The outer one is refused, not misunderstood.
	err = atomic.Do(ctx, db, func(outer context.Context) error {
		return atomic.Do(outer, db, func(context.Context) error { return buy(outer) })
	})
	fmt.Println("wrong ctx:", errors.Is(err, atomic.ErrOuterContext))
}
