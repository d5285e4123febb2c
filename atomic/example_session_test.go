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
