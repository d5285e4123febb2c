package atomic_test

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

// Code that knows nothing of blocks takes part by passing ctx on.
func Example_databaseSQL() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	legacy := func(ctx context.Context, pool *sql.DB) error {
		tx, err := pool.BeginTx(ctx, nil) // inside a block: a savepoint
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, "UPDATE account SET balance = balance + 1 WHERE owner = 'ben'"); err != nil {
			return err
		}
		return tx.Commit()
	}
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := legacy(ctx, db.SQL()); err != nil {
			return err
		}
		return atomic.Rollback // takes back what legacy believes to have committed
	})
	fmt.Println(err, balance("ben"))
	// Output: <nil> 0
}
