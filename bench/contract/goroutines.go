package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/bench/peers"
)

// Two goroutines open a nested block each, in the same block at the same time.
// The second has to be refused, or to wait for the first, before anything of it
// runs; and what each is told has to be what is in the table in the end.

func nestedRollback() program {
	return program{name: "the first is rolled back", run: func(ctx context.Context, a *arena) (string, error) {
		return a.nestTwice(ctx, errAsked, nil)
	}}
}

func nestedCommit() program {
	return program{name: "the second is rolled back", run: func(ctx context.Context, a *arena) (string, error) {
		return a.nestTwice(ctx, nil, errAsked)
	}}
}

// nestTwice lets both insert, then the first end and then the second.
func (a *arena) nestTwice(ctx context.Context, endFirst, endSecond error) (string, error) {
	db, err := a.open(ctx, 5)
	if err != nil {
		return "", err
	}
	var first, second error
	overlapped := false
	result := db.Block(ctx, func(ctx context.Context, b peers.Block) error {
		opened, firstEnded, secondIn := make(chan struct{}), make(chan struct{}), make(chan struct{})
		var both sync.WaitGroup
		both.Go(func() {
			defer close(firstEnded)
			first = b.Block(ctx, func(ctx context.Context, b peers.Block) error {
				err := insert(ctx, b, 1)
				close(opened)
				select { // a second one that has to wait for us never comes in
				case <-secondIn:
				case <-time.After(300 * time.Millisecond):
				}
				if err != nil {
					return err
				}
				return endFirst
			})
		})
		both.Go(func() {
			<-opened
			comeIn := sync.OnceFunc(func() { close(secondIn) })
			defer comeIn() // refused
			second = b.Block(ctx, func(ctx context.Context, b peers.Block) error {
				select {
				case <-firstEnded:
				default:
					overlapped = true
				}
				err := insert(ctx, b, 2)
				comeIn()
				<-firstEnded
				if err != nil {
					return err
				}
				return endSecond
			})
		})
		both.Wait()
		return nil
	})

	if err := a.until(ctx, a.settled); err != nil {
		return "", err
	}
	ids, err := a.kept(ctx)
	if err != nil {
		return "", err
	}
	for id, said := range map[int64]error{1: first, 2: second} {
		there, want := slices.Contains(ids, id), said == nil && result == nil
		switch {
		case there && !want:
			return fmt.Sprintf("row %d is committed though its block said %q", id, shortened(either(said, result))), nil
		case !there && want:
			return fmt.Sprintf("row %d is lost though its block said nil", id), nil
		}
	}
	if overlapped {
		return fmt.Sprintf("nobody notices before the end; then: %q", shortened(either(second, either(first, result)))), nil
	}
	return "", nil
}

func either(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
