package orm_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// How many connections there are, and how long each lives.
func ExampleOption() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"),
		orm.MaxOpenConns(8), orm.MaxIdleConns(4), orm.ConnMaxLifetime(time.Hour), orm.ConnMaxIdleTime(5*time.Minute))
	check(err)
	defer db.Close()
	fmt.Println(db.Server().Product)
	// Output: SQLite
}

// A block holds one connection, however deep it is nested.
func ExampleDB_Stats() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"), orm.MaxOpenConns(8))
	check(err)
	defer db.Close()

	check(atomic.Do(ctx, db, func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error {
			_, err := db.Exec(ctx, "SELECT 1")
			pool := db.Stats()
			fmt.Println(pool.InUse, "of", pool.MaxOpenConnections)
			return err
		})
	}))
	fmt.Println(db.Stats().InUse)
	// Output:
	// 1 of 8
	// 0
}

// Every block of this database is serializable, unless it says otherwise.
func ExampleWithIsolation() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"), orm.WithIsolation(sql.LevelSerializable))
	check(err)
	defer db.Close()
	fmt.Println(db.Server().Product)
	// Output: SQLite
}

// Every block runs again after a deadlock, and for five seconds at most; one of them
// may take as long as it needs.
func ExampleWithBlock() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"),
		orm.WithBlock(atomic.Retry(3), atomic.Timeout(5*time.Second), atomic.LockTimeout(time.Second)))
	check(err)
	defer db.Close()

	inForce := func(opts ...atomic.Option) {
		var refused *atomic.BlockError
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			return atomic.Do(ctx, db, func(context.Context) error { return nil }, atomic.Durable())
		}, opts...)
		if errors.As(err, &refused) {
			fmt.Printf("%q\n", refused.Block.Options)
		}
	}
	inForce()
	inForce(atomic.NoDefaults(), atomic.LockTimeout(time.Minute))
	// Output:
	// "Retry(3), Timeout(5s), LockTimeout(1s)"
	// "LockTimeout(1m0s)"
}

// What cannot be returned, such as the error of a hook that may fail, is logged.
func ExampleWithLogger() {
	ctx := context.Background()
	plain := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "block" {
				return slog.Attr{}
			}
			return a
		},
	}))
	db, err := orm.Open(ctx, sqlite.Open(":memory:"), orm.WithLogger(plain))
	check(err)
	defer db.Close()
	check(atomic.OnCommit(ctx, db, func(context.Context) error { return errors.New("the cache is down") }, atomic.Robust()))
	// Output: level=ERROR msg="holdfast: hook failed" error="the cache is down"
}
