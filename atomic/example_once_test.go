package atomic_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

// openOnce is open with the table of Once.
func openOnce(ctx context.Context) (*orm.DB, func(string) int) {
	db, balance := open(ctx)
	if err := orm.CreateTables(ctx, db, (*models.Once)(nil)); err != nil {
		log.Fatal(err)
	}
	return db, balance
}

func ExampleOnce() {
	ctx := context.Background()
	db, balance := openOnce(ctx)
	defer db.Close()

	pay := func(key string, amount int) (receipt string, err error) {
		return atomic.Once(ctx, db, key, func(ctx context.Context) (string, error) {
			fmt.Println("paying", amount)
			return fmt.Sprintf("receipt of %d", amount), add(ctx, db, "ann", -amount)
		}, atomic.OnceFor(amount), atomic.Wait(5*time.Second), atomic.Retry(3))
	}
	for range 3 { // the answer was lost, twice
		fmt.Println(pay("order 7", 30))
	}
	_, err := pay("order 7", 40)
	fmt.Println(errors.Is(err, atomic.ErrOnceMismatch), balance("ann"))
	// Output:
	// paying 30
	// receipt of 30 <nil>
	// receipt of 30 <nil>
	// receipt of 30 <nil>
	// true 70
}

// A refusal that is an answer is kept like one; what fn has done until then is not.
func ExampleKeepError() {
	ctx := context.Background()
	db, balance := openOnce(ctx)
	defer db.Close()

	errDeclined := errors.New("declined")
	for range 2 {
		_, err := atomic.Once(ctx, db, "order 8", func(ctx context.Context) (string, error) {
			if err := add(ctx, db, "ann", -30); err != nil {
				return "", err
			}
			fmt.Println("asking the bank")
			return "", fmt.Errorf("card of ann: %w", errDeclined)
		}, atomic.KeepError(errDeclined))
		var kept *atomic.KeptError
		fmt.Println(err, errors.Is(err, errDeclined), errors.As(err, &kept), balance("ann"))
	}
	// Output:
	// asking the bank
	// card of ann: declined true false 100
	// card of ann: declined true true 100
}

// While another block runs for the key, one that does not wait is told so.
func ExampleWait() {
	ctx := context.Background()
	db, _ := openOnce(ctx)
	defer db.Close()

	n, err := atomic.Once(ctx, db, "report", func(context.Context) (int, error) {
		again := func() (int, error) { panic("somebody else's, meanwhile") }
		_, err := atomic.Once(ctx, db, "report", func(context.Context) (int, error) { return again() })
		fmt.Println(errors.Is(err, atomic.ErrInProgress))
		_, err = atomic.Once(ctx, db, "report", func(context.Context) (int, error) { return again() }, atomic.Wait(time.Millisecond))
		fmt.Println(errors.Is(err, atomic.ErrInProgress))
		return 1, nil
	})
	fmt.Println(n, err)
	// Output:
	// true
	// true
	// 1 <nil>
}

// With ClaimLate the key costs no round trip; fn may begin in vain.
func ExampleClaimLate() {
	ctx := context.Background()
	db, balance := openOnce(ctx)
	defer db.Close()

	for range 2 {
		_, err := atomic.Once(ctx, db, "order 9", func(ctx context.Context) (struct{}, error) {
			return struct{}{}, add(ctx, db, "ann", -30)
		}, atomic.ClaimLate())
		fmt.Println(err, balance("ann"))
	}
	// Output:
	// <nil> 70
	// <nil> 70
}

// A result in an encoding of its own, and of a size that is expected.
func ExampleOnceEncoding() {
	ctx := context.Background()
	db, _ := openOnce(ctx)
	defer db.Close()

	number := atomic.OnceEncoding(
		func(n any) ([]byte, error) { return binary.AppendVarint(nil, n.(int64)), nil },
		func(kept []byte, into any) error {
			n, size := binary.Varint(kept)
			if size <= 0 {
				return errors.New("no number")
			}
			*into.(*int64) = n
			return nil
		})
	for n := range int64(2) {
		fmt.Println(atomic.Once(ctx, db, "ticket", func(context.Context) (int64, error) { return n + 100, nil }, number, atomic.ResultLimit(10)))
	}
	_, err := atomic.Once(ctx, db, "large", func(context.Context) (string, error) { return "much text", nil }, atomic.ResultLimit(5))
	fmt.Println(errors.Is(err, atomic.ErrOnceResult))
	// Output:
	// 100 <nil>
	// 100 <nil>
	// true
}

func ExamplePurgeOnce() {
	ctx := context.Background()
	db, _ := openOnce(ctx)
	defer db.Close()

	run := func() (int, error) {
		return atomic.Once(ctx, db, "today", func(context.Context) (int, error) { return 1, nil }, atomic.KeepFor(24*time.Hour))
	}
	fmt.Println(run())
	n, err := atomic.PurgeOnce(ctx, db) // once an hour, say
	fmt.Println(n, "expired", err)
	// Output:
	// 1 <nil>
	// 0 expired <nil>
}
