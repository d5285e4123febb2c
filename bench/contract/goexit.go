package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/holdfast-go/holdfast/bench/peers"
)

// goexit is a block whose goroutine ends in it, as a test's does in FailNow. It
// has to be rolled back and to give its connection back.
func goexit() program {
	return program{name: "FailNow in a block", run: func(ctx context.Context, a *arena) (string, error) {
		db, err := a.open(ctx, 5)
		if err != nil {
			return "", err
		}
		var wrong error
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_ = db.Block(ctx, func(ctx context.Context, b peers.Block) error {
				wrong = insert(ctx, b, 1)
				runtime.Goexit()
				return nil
			})
		}()
		<-gone
		if wrong != nil {
			return "", wrong
		}
		ids, err := a.kept(ctx)
		if err != nil {
			return "", err
		}
		if len(ids) > 0 {
			return "the partial work is committed", nil
		}
		if n := db.InUse(); n > 0 {
			return fmt.Sprintf("%d connection is leaked, its transaction open", n), nil
		}
		if err := a.until(ctx, a.settled); errors.Is(err, errNotSoon) {
			return "the transaction stays open", nil
		} else if err != nil {
			return "", err
		}
		return "", nil
	}}
}
