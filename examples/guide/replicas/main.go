// Command replicas reads on a replica what it has just written.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
)

func main() {
	ctx := context.Background()
	writer := cmp.Or(os.Getenv("SHOP_DB"), ":memory:")
	db, err := orm.Open(ctx, store.Source(writer),
		orm.WithReplicas(store.Source(cmp.Or(os.Getenv("SHOP_REPLICA"), writer))),
		orm.ReplicaWait(500*time.Millisecond))
	if errors.Is(err, dialect.ErrUnsupported) {
		fmt.Println("no replicas on this server")
		return
	}
	check(err)
	defer db.Close()
	check(orm.CreateTables(ctx, db, store.Models()...))

	ctx = atomic.Seen(ctx, db) // once for each request: remembers what it commits
	check(orm.Objects[store.Show](db).Create(ctx, &store.Show{Title: "Hamlet"}))
	n, err := orm.Objects[store.Show](db).OnReplica().Count(ctx) // shows at least that
	check(err)
	fmt.Println("shows:", n)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
