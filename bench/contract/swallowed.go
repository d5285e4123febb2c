package main

import (
	"context"
	"errors"
	"strings"

	"github.com/holdfast-go/holdfast/bench/peers"
)

// swallowed are blocks that go on after a statement has failed. They have to
// fail, say why, and commit nothing.
func swallowed() []program {
	return []program{
		{name: "a duplicate key", run: func(ctx context.Context, a *arena) (string, error) {
			return a.swallow(ctx, "uplicate", duplicate, func(ctx context.Context, b peers.Block) { _ = insert(ctx, b, 3) })
		}},
		{name: "a duplicate key in the last statement", run: func(ctx context.Context, a *arena) (string, error) {
			return a.swallow(ctx, "uplicate", duplicate, func(context.Context, peers.Block) {})
		}},
		{name: "a lock wait timeout", run: func(ctx context.Context, a *arena) (string, error) {
			holder, err := a.Admin.BeginTx(ctx, nil)
			if err != nil {
				return "", err
			}
			defer func() { _ = holder.Rollback() }()
			if _, err := holder.ExecContext(ctx, "UPDATE r SET v = 9 WHERE id = 1"); err != nil {
				return "", err
			}
			return a.swallow(ctx, "timeout", func(ctx context.Context, b peers.Block) error {
				defer func() { _ = holder.Rollback() }()
				return b.Exec(ctx, "UPDATE r SET v = 1 WHERE id = 1")
			}, func(ctx context.Context, b peers.Block) { _ = insert(ctx, b, 3) })
		}},
	}
}

func duplicate(ctx context.Context, b peers.Block) error { return insert(ctx, b, 100) }

// swallow runs a block that ignores an error, whose text contains a word.
func (a *arena) swallow(ctx context.Context, word string, fail func(context.Context, peers.Block) error, goOn func(context.Context, peers.Block)) (string, error) {
	db, err := a.open(ctx, 5)
	if err != nil {
		return "", err
	}
	var wrong error
	result := db.Block(ctx, func(ctx context.Context, b peers.Block) error {
		wrong = insert(ctx, b, 1)
		if fail(ctx, b) == nil {
			wrong = errors.New("the statement did not fail")
		}
		goOn(ctx, b)
		return nil
	})
	if wrong != nil {
		return "", wrong
	}
	reason, err := a.nothingKept(ctx, result)
	if reason == "" && err == nil && !strings.Contains(result.Error(), word) {
		reason = "the error does not say why: \"" + shortened(result) + "\""
	}
	return reason, err
}
