package atomic_test

import (
	"context"
	"fmt"
	"log"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
)

func ExampleResolveCommit() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()
	if _, err := db.Exec(ctx, sqlite.CommitsTable); err != nil { // once, with the schema
		log.Fatal(err)
	}

	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
		atomic.ResolveCommit(), atomic.Retry(3))
	fmt.Println(err, balance("ben"))
	// Output: <nil> 1
}
