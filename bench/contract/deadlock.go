package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/bench/peers"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// duel is a deadlock that a rival wins: MySQL rolls back whoever has changed
// less, and the rival has written many rows; PostgreSQL rolls back whoever looks
// for a deadlock first, and the rival does not look.
type duel struct {
	a     *arena
	rival *sql.Conn
}

func (a *arena) duel(ctx context.Context) (*duel, error) {
	conn, err := a.Admin.Conn(ctx)
	if err != nil {
		return nil, err
	}
	d := &duel{a, conn}
	if a.Engine == testdb.Postgres {
		if _, err := conn.ExecContext(ctx, "SET deadlock_timeout = '1h'"); err != nil {
			return nil, err
		}
	}
	rows := strings.TrimSuffix(strings.Repeat("(%d), ", 300), ", ")
	var ids []any
	for id := range 300 {
		ids = append(ids, id)
	}
	for _, s := range []string{"BEGIN", fmt.Sprintf("INSERT INTO heavy (id) VALUES "+rows, ids...), "UPDATE r SET v = 1 WHERE id = 2"} {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// lose has a block run into the deadlock and returns what its statement
// returned.
func (d *duel) lose(ctx context.Context, b peers.Statements) (lost, err error) {
	if err := b.Exec(ctx, "UPDATE r SET v = 2 WHERE id = 1"); err != nil {
		return nil, err
	}
	won := make(chan error, 1)
	go func() {
		_, err := d.rival.ExecContext(ctx, "UPDATE r SET v = 1 WHERE id = 1")
		won <- err
	}()
	if err := d.a.until(ctx, d.a.blocked); err != nil {
		return nil, fmt.Errorf("waiting for the rival to wait: %w", err)
	}
	lost = b.Exec(ctx, "UPDATE r SET v = 2 WHERE id = 2")
	if err := <-won; err != nil {
		return nil, fmt.Errorf("the rival lost: %w", err)
	}
	if lost == nil {
		return nil, errors.New("there was no deadlock")
	}
	_, err = d.rival.ExecContext(ctx, "COMMIT")
	return lost, errors.Join(err, d.rival.Close())
}

// deadlocks are blocks that go on after one. They have to fail with nothing
// committed; but where the server has kept the block's transaction and the
// deadlock's own part was undone, as PostgreSQL can with a savepoint, they may go
// on to the end.
func deadlocks() []program {
	return []program{
		{name: "in the block", run: afterDeadlock(func(ctx context.Context, b peers.Block, d *duel) (err error) {
			_, err = d.lose(ctx, b)
			return err
		})},
		{name: "in a nested block that returns it", run: afterDeadlock(func(ctx context.Context, b peers.Block, d *duel) (err error) {
			_ = b.Block(ctx, func(ctx context.Context, b peers.Block) (lost error) {
				lost, err = d.lose(ctx, b)
				return lost
			})
			return err
		}, 1, 2)},
		{name: "in a nested block that swallows it", run: afterDeadlock(func(ctx context.Context, b peers.Block, d *duel) (err error) {
			_ = b.Block(ctx, func(ctx context.Context, b peers.Block) error {
				_, err = d.lose(ctx, b)
				return nil
			})
			return err
		})},
	}
}

// afterDeadlock is a block that inserts a row before a fight and another one
// after it. all is what may be committed if not nothing.
func afterDeadlock(fight func(context.Context, peers.Block, *duel) error, all ...int64) func(context.Context, *arena) (string, error) {
	return func(ctx context.Context, a *arena) (string, error) {
		db, err := a.open(ctx, 5)
		if err != nil {
			return "", err
		}
		d, err := a.duel(ctx)
		if err != nil {
			return "", err
		}
		var wrong error
		result := db.Block(ctx, func(ctx context.Context, b peers.Block) error {
			wrong = errors.Join(insert(ctx, b, 1), fight(ctx, b, d))
			_ = insert(ctx, b, 2)
			return nil
		})
		if wrong != nil {
			return "", wrong
		}
		if len(all) > 0 && result == nil {
			if whole, err := a.holds(ctx, all...); whole || err != nil {
				return "", err
			}
		}
		return a.nothingKept(ctx, result)
	}
}

// nothingKept is right if a block failed and nothing of it was committed.
func (a *arena) nothingKept(ctx context.Context, result error) (string, error) {
	if err := a.until(ctx, a.settled); err != nil {
		return "", err
	}
	ids, err := a.kept(ctx)
	if err != nil || result != nil && len(ids) == 0 {
		return "", err
	}
	return outcome(result, ids), nil
}
