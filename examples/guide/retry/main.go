// Command retry shows what a block that runs twice does twice.
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

	// Somebody has a lock on Hamlet, until release is closed.
	locked, release, released := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		demo.Check(atomic.Do(ctx, db, func(ctx context.Context) error {
			_, err := orm.Objects[store.Show](db).SelectForUpdate().Find(ctx, 1)
			close(locked)
			<-release
			return err
		}))
		close(released)
	}()
	<-locked

	calls := 0 // stands for a call over the network, a mail, a message to a channel
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		calls++
		if atomic.Attempt(ctx, db) == 2 {
			close(release)
			<-released
		}
		_, err := store.Buy(ctx, db, 1, "ann", 2)
		return err
	}, atomic.RetryPolicy{Max: 3, Locks: true}, atomic.LockTimeout(200*time.Millisecond))
	demo.Check(err)

	orders, err := orm.Objects[store.Order](db).Count(ctx)
	demo.Check(err)
	fmt.Println("orders:", orders, "calls:", calls)
}
