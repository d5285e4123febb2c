// Command queue has two workers send five mails.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/orm"
)

func main() {
	ctx := context.Background()
	db := demo.Open(ctx)
	defer db.Close()
	demo.Check(orm.CreateIndex(ctx, db, (*store.Mail)(nil), "due_at"))
	order, err := store.Buy(ctx, db, 1, "ann", 2)
	demo.Check(err)
	for range 5 {
		demo.Check(orm.Objects[store.Mail](db).Create(ctx, &store.Mail{OrderID: order.ID, DueAt: time.Now()}))
	}

	var mu sync.Mutex
	times := map[int64]int{} // how often each mail was sent
	send := func(_ context.Context, mail *store.Mail) error {
		mu.Lock()
		defer mu.Unlock()
		times[mail.ID]++
		return nil
	}
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for {
				sent, err := store.Send(ctx, db, 2, send)
				demo.Check(err)
				if sent == 0 {
					return
				}
			}
		})
	}
	workers.Wait()
	fmt.Println(times)
}
