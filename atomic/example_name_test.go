package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

// The name stands in the errors of the block, and on the server.
func ExampleName() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "COMMIT")
		return err
	}, atomic.Name("monthly bill"))
	var e *atomic.BlockError
	fmt.Println(errors.As(err, &e), e.Block.Name, e.Block.Depth, errors.Is(err, atomic.ErrTransactionControl))
	// Output: true monthly bill 1 true
}
