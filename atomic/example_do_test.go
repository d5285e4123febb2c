package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

func ExampleDo() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	move := func(amount int) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error {
			if err := add(ctx, db, "ben", amount); err != nil {
				return err
			}
			return add(ctx, db, "ann", -amount) // fails if there is not enough
		})
	}
	fmt.Println(move(70), balance("ann"), balance("ben"))
	fmt.Println(errors.Is(move(70), dialect.ErrCheckViolation), balance("ann"), balance("ben"))
	// Output:
	// <nil> 30 70
	// true 30 70
}

func ExampleValue() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	total, err := atomic.Value(ctx, db, func(ctx context.Context) (n int, err error) {
		err = db.QueryRow(ctx, "SELECT sum(balance) FROM account").Scan(&n)
		return n, err
	})
	fmt.Println(total, err)
	// Output: 100 <nil>
}

func ExampleWrap() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	gift := atomic.Wrap(db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) }, atomic.Name("gift"))
	fmt.Println(gift(ctx), gift(ctx), balance("ben"))
	// Output: <nil> <nil> 2
}
