package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/bench/peers"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// retries are blocks that want to be run again when the server has rolled them
// back for the sake of another one. What they do has to be done in the end, once,
// however their function has reported the error.
func retries() (programs []program) {
	reports := []struct {
		name   string
		report func(error) error
	}{
		{"returned", func(err error) error { return fmt.Errorf("transfer failed: %w", err) }},
		{"hidden", func(err error) error { return fmt.Errorf("transfer failed: %s", err) }}, //nolint:errorlint // the mistake that the program is about
		{"swallowed", func(error) error { return nil }},
	}
	for _, r := range reports {
		programs = append(programs,
			program{name: "after a deadlock, its error " + r.name, run: retried(deadlocked, r.report)},
			program{name: "after a serialization failure, its error " + r.name, only: testdb.Postgres, run: retried(outpaced, r.report)},
		)
	}
	return programs
}

// mishap prepares something that happens to the first attempt of a block.
type mishap func(ctx context.Context, a *arena) (happen func(context.Context, peers.Statements) (lost, err error), err error)

func deadlocked(ctx context.Context, a *arena) (func(context.Context, peers.Statements) (lost, err error), error) {
	d, err := a.duel(ctx)
	if err != nil {
		return nil, err
	}
	return d.lose, nil
}

// outpaced has another program change a row that the block has read, and then
// the block.
func outpaced(ctx context.Context, a *arena) (func(context.Context, peers.Statements) (lost, err error), error) {
	return func(ctx context.Context, b peers.Statements) (lost, err error) {
		if _, err := b.Number(ctx, "SELECT v FROM r WHERE id = 1"); err != nil {
			return nil, err
		}
		if err := a.Run(ctx, "UPDATE r SET v = 7 WHERE id = 1"); err != nil {
			return nil, err
		}
		if lost = b.Exec(ctx, "UPDATE r SET v = 8 WHERE id = 1"); lost == nil {
			return nil, errors.New("there was no serialization failure")
		}
		return lost, nil
	}, a.Set(ctx, "default_transaction_isolation", "repeatable read")
}

func retried(prepare mishap, report func(error) error) func(context.Context, *arena) (string, error) {
	return func(ctx context.Context, a *arena) (string, error) {
		happen, err := prepare(ctx, a)
		if err != nil {
			return "", err
		}
		db, err := a.open(ctx, 5)
		if err != nil {
			return "", err
		}
		var wrong error
		attempts := 0
		result := db.Block(ctx, func(ctx context.Context, b peers.Block) error {
			attempts++
			if err := insert(ctx, b, 1); err != nil {
				return err
			}
			if attempts > 1 {
				return b.Exec(ctx, "UPDATE r SET v = 8 WHERE id = 1")
			}
			lost, err := happen(ctx, b)
			if err != nil {
				wrong = err
				return err
			}
			return report(lost)
		}, peers.Retrying)
		if wrong != nil {
			return "", wrong
		}
		if err := a.until(ctx, a.settled); err != nil {
			return "", err
		}
		ids, err := a.kept(ctx)
		if err != nil {
			return "", err
		}
		v, err := a.number(ctx, "SELECT v FROM r WHERE id = 1")
		if err != nil || result == nil && len(ids) == 1 && v == 8 {
			return "", err
		}
		return fmt.Sprintf("attempts: %d; %s", attempts, outcome(result, ids)), nil
	}
}
