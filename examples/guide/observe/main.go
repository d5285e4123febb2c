// Command observe shows what a service can say of its database.
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
	"github.com/holdfast-go/holdfast/query"
)

func main() {
	ctx := context.Background()
	db := demo.Open(ctx, orm.MaxOpenConns(20))
	defer db.Close()

	// What failed, in which block: no value of a row, and no password.
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		return orm.Objects[store.Order](db).Create(ctx, &store.Order{ShowID: 99, Buyer: "ann"})
	}, atomic.Name("nightly import"))
	var failed *atomic.FailedError
	if errors.As(err, &failed) {
		fmt.Println(failed.Block.Name, errors.Is(err, dialect.ErrForeignKeyViolation))
	}

	// What is sent, and what the server makes of it.
	due := orm.Objects[store.Show](db).Filter(query.F("title").Eq("Faust"))
	text, values, err := due.SQL(ctx)
	demo.Check(err)
	plan, err := due.Explain(ctx)
	demo.Check(err)
	fmt.Println(text, values)
	fmt.Print(plan)

	// The pool, for a gauge: InUse at MaxOpenConnections means that somebody waits.
	pool := db.Stats()
	fmt.Println(pool.InUse, "of", pool.MaxOpenConnections)

	// Who waits for whom. SQLite does not know.
	waits, err := orm.LockWaits(ctx, db)
	for _, w := range waits {
		fmt.Println(w.Waiting.Block, "waits for", w.Holding.Block, "at", w.Table)
	}
	fmt.Println("lock waits:", len(waits), errors.Is(err, dialect.ErrUnsupported))
}
