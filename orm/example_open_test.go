package orm_test

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

func ExampleOpen() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"), orm.WithCommitTimeout(10*time.Second))
	check(err)
	defer db.Close()
	fmt.Println(db.Server().Product)
	// Output: SQLite
}
