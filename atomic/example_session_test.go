package atomic_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/holdfast-go/holdfast/atomic"
)

func ExampleOpenSession() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	session, sctx, err := atomic.OpenSession(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(
		session.SetAutocommit(false),
		add(sctx, db, "ben", 1),
		session.Commit(sctx),
		add(sctx, db, "ben", 1), // not committed
	)
	fmt.Println(err, errors.Is(session.Close(), atomic.ErrUncommitted), balance("ben"))
	// Output: <nil> true 1
}

// Work by hand, as a console does it: nothing is kept before Commit.
func ExampleSession() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	session, sctx, err := atomic.OpenSession(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(
		session.SetAutocommit(false),
		add(sctx, db, "ben", 1),
		session.Rollback(sctx), // taken back
		add(sctx, db, "ben", 5),
		session.Commit(sctx),
	)
	fmt.Println(err, session.Autocommit(), session.Close(), balance("ben"))
	fmt.Println(errors.Is(add(sctx, db, "ben", 1), atomic.ErrSessionClosed))
	// Output:
	// <nil> false <nil> 5
	// true
}
