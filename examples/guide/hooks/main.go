// Command hooks does something after the commit, and not without one.
package main

import (
	"context"
	"fmt"
	"time"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

func main() {
	ctx := context.Background()
	db := demo.Open(ctx)
	defer db.Close()
	wake := make(chan string, 10) // the worker that sends mails waits for it

	sell := func(ctx context.Context, show int64, buyer string) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error {
			order, err := store.Buy(ctx, db, show, buyer, 2)
			if err != nil {
				return err
			}
			// What must not get lost is a row, committed with the order.
			mail := &store.Mail{OrderID: order.ID, DueAt: time.Now()}
			if err := orm.Objects[store.Mail](db).Create(ctx, mail); err != nil {
				return err
			}
			// What may get lost in a crash is a hook.
			return atomic.OnCommit(ctx, db, func(context.Context) error {
				wake <- buyer
				return nil
			})
		})
	}

	fmt.Println(sell(ctx, 2, "ann"), len(wake))
	fmt.Println(sell(ctx, 2, "ben"), len(wake))
	demo.Check(atomic.Do(ctx, db, func(ctx context.Context) error {
		err := sell(ctx, 1, "eve")
		fmt.Println(err, len(wake)) // not yet: the outer block is open
		return err
	}))
	fmt.Println(len(wake))
}
