package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/bench/peers"
)

// poolOfOne is a helper that knows of no transaction, called in one while the
// pool has no other connection. It has to take part, or to be told at once that
// it cannot.
func poolOfOne() program {
	return program{name: "a helper writes", run: func(ctx context.Context, a *arena) (string, error) {
		db, err := a.open(ctx, 1)
		if err != nil {
			return "", err
		}
		const wait = time.Second
		var helper error
		var took time.Duration
		result := db.Block(ctx, func(ctx context.Context, b peers.Block) error {
			if err := insert(ctx, b, 1); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, wait)
			defer cancel()
			start := time.Now()
			helper = insert(ctx, db, 2)
			took = time.Since(start)
			return helper
		})
		if took >= wait {
			return "waits for its own connection: " + shortened(helper), nil
		}
		all, err := a.holds(ctx, 1, 2)
		if err != nil || all && result == nil {
			return "", err
		}
		none, err := a.holds(ctx)
		if err != nil || none && result != nil {
			return "", err
		}
		return fmt.Sprintf("ended with %v, and is not all there or all gone", result), nil
	}}
}

var errAsked = errors.New("asked for")

// rootHandle are statements that have the block's ctx and not its handle. In a
// block they have to be rolled back with it, or refused; after it, refused.
func rootHandle() []program {
	return []program{
		{name: "in the block, which is rolled back", run: func(ctx context.Context, a *arena) (string, error) {
			db, err := a.open(ctx, 5)
			if err != nil {
				return "", err
			}
			result := db.Block(ctx, func(ctx context.Context, b peers.Block) error {
				return errors.Join(insert(ctx, b, 1), insert(ctx, db, 2), errAsked)
			})
			if !errors.Is(result, errAsked) {
				return "", fmt.Errorf("the block ended with %w", result)
			}
			ids, err := a.kept(ctx)
			if err == nil && slices.Contains(ids, 2) {
				return "the statement runs outside the block and survives its rollback", nil
			}
			return "", err
		}},
		{name: "after the block", run: func(ctx context.Context, a *arena) (string, error) {
			db, err := a.open(ctx, 5)
			if err != nil {
				return "", err
			}
			var kept context.Context
			if err := db.Block(ctx, func(ctx context.Context, b peers.Block) error {
				kept = ctx //nolint:fatcontext // the mistake that the program is about
				return insert(ctx, b, 1)
			}); err != nil {
				return "", err
			}
			late := insert(kept, db, 2)
			ids, err := a.kept(ctx)
			if err == nil && (late == nil || slices.Contains(ids, 2)) {
				return "the statement runs outside, without an error", nil
			}
			return "", err
		}},
	}
}
