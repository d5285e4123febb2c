package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// The table of atomic.Once, for a migration tool.
func ExampleOpen_onceTable() {
	fmt.Println(strings.HasPrefix(sqlite.OnceTable, "CREATE TABLE IF NOT EXISTS holdfast_once"))
	// Output: true
}

// A file of one's own, as a test has it.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "app.db")

	db, err := orm.Open(ctx, sqlite.Open(file, sqlite.BusyTimeout(time.Second), sqlite.Pragma("cache_size", "-20000"), sqlite.StatementCache(256)))
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.Exec(ctx, "CREATE TABLE note (text TEXT)")
	fmt.Println(err, db.Close())

	reader, err := orm.Open(ctx, sqlite.Open(file, sqlite.ReadOnly()))
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	_, err = reader.Exec(ctx, "INSERT INTO note VALUES ('no')")
	fmt.Println(errors.Is(err, dialect.ErrReadOnly))
	// Output:
	// <nil> <nil>
	// true
}

// A pool that the program has opened already, and keeps.
func ExampleFrom() {
	ctx := context.Background()
	pool, err := sql.Open("sqlite", "file:shared?mode=memory&cache=shared&_pragma=foreign_keys(1)")
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	db, err := orm.Open(ctx, sqlite.From(pool))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(db.Close(), pool.PingContext(ctx))
	// Output: <nil> <nil>
}
