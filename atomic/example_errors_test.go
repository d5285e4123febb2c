package atomic_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

// Which statement has failed, with placeholders where its values were.
func ExampleFailedError() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ann", -1000) }, atomic.Name("fee"))
	var failed *atomic.FailedError
	if errors.As(err, &failed) {
		fmt.Println(failed.Block.Name, failed.Block.Depth, failed.Statement)
	}
	// Output: fee 1 UPDATE account SET balance = balance + ? WHERE owner = ?
}

// A ctx that outlives its block, as in a goroutine that nobody waits for.
func ExampleBlockError_closed() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	var kept context.Context
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		kept = ctx
		return nil
	})
	fmt.Println(err, errors.Is(add(kept, db, "ben", 1), atomic.ErrBlockClosed), balance("ben"))
	// Output: <nil> true 0
}

// The ctx of the outer block, where the inner one's was meant.
func ExampleBlockError_outer() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(outer context.Context) error {
		return atomic.Do(outer, db, func(context.Context) error { return add(outer, db, "ben", 1) })
	})
	fmt.Println(errors.Is(err, atomic.ErrOuterContext), balance("ben"))
	// Output: true 0
}

// A connection answers one statement after the other: rows are read to their
// end, or closed, before the next.
func ExampleBlockError_rows() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		rows, err := db.Query(ctx, "SELECT owner FROM account")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := add(ctx, db, "ben", 1); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	fmt.Println(errors.Is(err, atomic.ErrRowsOpen))
	// Output: true
}

// What a nested block cannot give is refused, and not left out in silence.
func ExampleBlockError_option() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	snapshot := func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(context.Context) error { return nil }, atomic.Isolation(sql.LevelSerializable))
	}
	fmt.Println(snapshot(ctx), errors.Is(atomic.Do(ctx, db, snapshot), atomic.ErrOption))
	// Output: <nil> true
}
