package atomic_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
)

// A request writes and then reads, perhaps on a replica (orm.WithReplicas): it finds
// what it has written.
func ExampleSeen() {
	db, _ := open(context.Background())
	defer db.Close()

	ctx := atomic.Seen(context.Background(), db) // once for each request
	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 5) })
	fmt.Println(err)

	err = atomic.Do(ctx, db, func(ctx context.Context) error {
		var balance int
		err := db.QueryRow(ctx, "SELECT balance FROM account WHERE owner = ?", "ben").Scan(&balance)
		fmt.Println(balance)
		return err
	}, atomic.ReadOnly())
	fmt.Println(err)
	// Output:
	// <nil>
	// 5
	// <nil>
}

// The next request, perhaps in another process, goes on where the last one was: by
// way of a cookie.
func ExampleSeenFrom() {
	db, _ := open(context.Background())
	defer db.Close()
	first := atomic.Seen(context.Background(), db)
	cookie := atomic.SeenToken(first, db)
	fmt.Printf("%q\n", cookie) // SQLite has no replicas: there is nothing to remember

	ctx, err := atomic.SeenFrom(context.Background(), db, cookie)
	fmt.Println(ctx.Err(), err)

	_, err = atomic.SeenFrom(context.Background(), db, "what somebody has made up")
	fmt.Println(errors.Is(err, atomic.ErrToken))
	// Output:
	// ""
	// <nil> <nil>
	// true
}
