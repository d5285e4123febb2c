package atomic_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

func ExamplePropagation() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	post := func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
			atomic.Propagation(atomic.Mandatory))
	}
	fmt.Println(errors.Is(post(ctx), atomic.ErrNotInBlock), atomic.Do(ctx, db, post))
	// Output: true <nil>
}

// What is written down stays, whatever becomes of the block around it.
func ExamplePropagation_independent() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	record := func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
			atomic.Propagation(atomic.Independent))
	}
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := record(ctx); err != nil {
			return err
		}
		return add(ctx, db, "ann", -1000) // refused
	})
	fmt.Println(errors.Is(err, dialect.ErrCheckViolation), balance("ben"))
	// Output: true 1
}

// What cannot be taken back, such as a letter, is not sent from inside a block.
func ExamplePropagation_never() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	letter := func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(context.Context) error {
			fmt.Println("sent")
			return nil
		}, atomic.Propagation(atomic.Never))
	}
	fmt.Println(letter(ctx), errors.Is(atomic.Do(ctx, db, letter), atomic.ErrInBlock))
	// Output:
	// sent
	// <nil> true
}

// The modes that are left, and what In says inside each.
func ExamplePropagationMode() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		for _, mode := range []atomic.PropagationMode{atomic.Nested, atomic.Join, atomic.Suspended} {
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				fmt.Println(atomic.In(ctx, db))
				return nil
			}, atomic.Propagation(mode))
			if err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// true
	// true
	// false
	// <nil>
}

// A transaction of its own needs a connection of its own. Where the blocks
// around it hold them all, it would wait for itself.
func ExamplePropagation_pool() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"), orm.MaxOpenConns(1))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	read := func(ctx context.Context) error {
		_, err := db.Exec(ctx, "SELECT 1")
		return err
	}
	err = atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := read(ctx); err != nil {
			return err
		}
		return atomic.Do(ctx, db, read, atomic.Propagation(atomic.Independent))
	})
	fmt.Println(errors.Is(err, atomic.ErrPoolExhausted))
	// Output: true
}
