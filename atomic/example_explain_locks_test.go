package atomic_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// On a server the error says who held the lock, and errors.As finds them. SQLite
// does not know, so that its error is the usual one.
func ExampleExplainLocks() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
		atomic.ExplainLocks(), atomic.LockTimeout(time.Second))
	var held *atomic.LockHeldError
	if errors.As(err, &held) {
		for _, h := range held.Holders {
			fmt.Println(h.Block, h.ConnectionID, h.Age, h.Statement)
		}
	}
	fmt.Println(err)
	// Output: <nil>
}

// The text of the error names the first of the holders.
func ExampleLockHeldError() {
	err := error(&atomic.LockHeldError{
		Holders: []atomic.Holder{{
			LockParty: dialect.LockParty{ConnectionID: 42, Age: 3 * time.Second, Block: "monthly bill"},
			Table:     "account",
		}},
		Certain: true,
		Err:     dialect.ErrLockNotAvailable,
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, dialect.ErrLockNotAvailable))
	// Output:
	// lock not available: held by block "monthly bill" (connection 42) in its transaction for 3s
	// true
}
