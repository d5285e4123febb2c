// Command once sends the same request twice.
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
	buy := func(r store.Request) (*store.Order, error) { return store.BuyOnce(ctx, db, "8e03978e", r) }

	first, err := buy(store.Request{ShowID: 1, Buyer: "ann", Seats: 2})
	demo.Check(err)
	again, err := buy(store.Request{ShowID: 1, Buyer: "ann", Seats: 2})
	demo.Check(err)
	_, err = buy(store.Request{ShowID: 1, Buyer: "ann", Seats: 10})
	fmt.Println("the same order:", first.ID == again.ID)
	fmt.Println("another request:", errors.Is(err, atomic.ErrOnceMismatch))

	orders, err := orm.Objects[store.Order](db).Count(ctx)
	demo.Check(err)
	fmt.Println("orders:", orders)
}
