package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/bench/peers"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// lostCommits are blocks whose COMMIT gets no answer. The program has to learn
// that nobody knows what became of it, in an error that it can tell from others,
// or what did become of it.
func lostCommits() []program {
	return []program{
		{name: "applied, and the answer is lost", run: lostCommit(proxy.CutReply)},
		{name: "never arrived", run: lostCommit(proxy.CutRequest)},
		{name: "applied, and the program asks what became of it", run: lostCommit(proxy.CutReply, peers.Resolving)},
		{name: "never arrived, and the program asks", run: lostCommit(proxy.CutRequest, peers.Resolving)},
		{name: "refused: a deferred constraint", only: testdb.Postgres, run: func(ctx context.Context, a *arena) (string, error) {
			db, err := a.open(ctx, 5)
			if err != nil {
				return "", err
			}
			result := db.Block(ctx, func(ctx context.Context, b peers.Block) error {
				return errors.Join(insert(ctx, b, 1), b.Exec(ctx, "INSERT INTO child (parent) VALUES (999)"))
			})
			return a.nothingKept(ctx, result)
		}},
	}
}

func lostCommit(how proxy.Action, wishes ...peers.Wish) func(context.Context, *arena) (string, error) {
	return func(ctx context.Context, a *arena) (string, error) {
		db, err := a.open(ctx, 5)
		if err != nil {
			return "", err
		}
		var trap *proxy.Trap
		var wrong error
		result := db.Block(ctx, func(ctx context.Context, b peers.Block) error {
			wrong = insert(ctx, b, 1)
			trap = a.proxy.On("COMMIT", how)
			return nil
		}, wishes...)
		if wrong != nil {
			return "", wrong
		}
		if trap.Hits() == 0 {
			return "", errors.New("there was no COMMIT")
		}
		if err := a.until(ctx, a.settled); err != nil {
			return "", err
		}
		ids, err := a.kept(ctx)
		if err != nil {
			return "", err
		}
		if len(wishes) == 0 && (len(ids) > 0) != (how == proxy.CutReply) {
			return "", fmt.Errorf("COMMIT was cut at the wrong moment: %v", ids)
		}
		switch {
		case len(wishes) == 0 && a.library.Unknown != nil && a.library.Unknown(result):
			return "", nil // it knows that it does not know
		case len(wishes) > 0 && a.library.Unknown != nil && (result == nil) == (len(ids) > 0) && !a.library.Unknown(result):
			return "", nil // it has found out
		}
		return outcome(result, ids), nil
	}
}
