package atomic_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
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
