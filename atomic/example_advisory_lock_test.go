package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
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

// Who comes second goes without, instead of waiting.
func ExampleAdvisoryLock_noWait() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	report := func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, db, "nightly report", orm.NoWait) }
	_ = atomic.Do(ctx, db, func(held context.Context) error {
		fmt.Println(report(held))
		err := atomic.Do(ctx, db, report)
		fmt.Println(errors.Is(err, dialect.ErrLockNotAvailable))
		return nil
	})
	// Output:
	// <nil>
	// true
}
