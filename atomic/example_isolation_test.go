package atomic_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

func ExampleReadOnly() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) }, atomic.ReadOnly())
	fmt.Println(errors.Is(err, dialect.ErrReadOnly))
	// Output: true
}

// One consistent snapshot for a report of several queries.
func ExampleIsolation() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		var accounts, total int
		if err := db.QueryRow(ctx, "SELECT count(*) FROM account").Scan(&accounts); err != nil {
			return err
		}
		if err := db.QueryRow(ctx, "SELECT sum(balance) FROM account").Scan(&total); err != nil {
			return err
		}
		fmt.Println(accounts, total)
		return nil
	}, atomic.ReadOnly(), atomic.Isolation(sql.LevelRepeatableRead))
	fmt.Println(err)
	// Output:
	// 2 100
	// <nil>
}

// Only PostgreSQL has such a transaction, and only PostgreSQL needs one: on
// SQLite, where every transaction is serializable and none fails for it, the
// option changes nothing.
func ExampleDeferrable() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "SELECT 1")
		return err
	}, atomic.Isolation(sql.LevelSerializable), atomic.ReadOnly(), atomic.Deferrable())
	fmt.Println(err)
	// Output: <nil>
}
