package atomic_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

func ExampleAdvisoryLock() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := atomic.AdvisoryLock(ctx, db, "nightly report"); err != nil {
			return err
		}
		fmt.Println("nobody else makes the report now")
		return nil
	})
	fmt.Println(err)
	// Output:
	// nobody else makes the report now
	// <nil>
}
