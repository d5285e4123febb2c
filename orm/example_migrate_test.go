package orm_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// Every process calls this when it starts. One runs the migrations; the others wait
// for it, and their tool finds nothing to do. A tool stands here as a function: see
// docs/migrations.md for goose, golang-migrate and bun/migrate.
func ExampleMigrate() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	db, err := orm.Open(ctx, sqlite.Open(filepath.Join(dir, "shop.db")))
	check(err)
	defer db.Close()

	up := func(ctx context.Context, tools *sql.DB) error {
		_, err := tools.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS seat (row_no INT, seat_no INT)")
		return err
	}
	err = orm.Migrate(ctx, db, "shop", up, orm.Wait(time.Minute))
	switch {
	case errors.Is(err, dialect.ErrLockNotAvailable):
		fmt.Println("another process has been at it for a minute")
	case errors.Is(err, orm.ErrMigrationLockLost):
		fmt.Println("another process may have begun as well: look how far both came")
	}
	check(err)
	fmt.Println("migrated")
	// Output: migrated
}

// A tool that keeps others away by itself is given its connections directly.
func ExampleDB_Migrations() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	defer db.Close()

	tools := db.Migrations()
	defer tools.Close()
	tx, err := tools.BeginTx(ctx, nil) // a transaction of the tool's own, around DDL
	check(err)
	_, err = tx.ExecContext(ctx, "CREATE TABLE seat (row_no INT, seat_no INT)")
	check(err)
	check(tx.Commit())
	// Output:
}
