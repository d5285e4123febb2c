// Command limits shows a block that takes too long.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

func main() {
	ctx := context.Background()
	db := demo.Open(ctx, orm.WithBlock(atomic.Retry(3), atomic.Timeout(time.Second)))
	defer db.Close()

	slow := func(ctx context.Context) error {
		if _, err := store.Buy(ctx, db, 1, "ann", 2); err != nil {
			return err
		}
		<-ctx.Done() // stands for a call to somebody else that hangs
		return ctx.Err()
	}
	err := atomic.Do(ctx, db, slow, atomic.Name("slow"))
	fmt.Println("too long:", errors.Is(err, atomic.ErrTimeout))

	show, err := orm.Objects[store.Show](db).Find(ctx, 1)
	demo.Check(err)
	fmt.Println("free:", show.Free) // rolled back, and the connection is back in the pool
}
