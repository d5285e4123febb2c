package sqlite

import (
	"context"
	"errors"
	"time"
)

// queue lets the writers of one pool wait for each other in the order in which
// they came. SQLite's own way is to try again after pauses of up to 0.1 s: most
// of the time nobody writes then, and whoever has bad luck never gets a turn.
type queue struct{ turn chan struct{} }

func newQueue() *queue { return &queue{turn: make(chan struct{}, 1)} }

// errQueued stands for the SQLITE_BUSY that SQLite would have answered.
var errQueued = errors.New("another transaction of this pool is writing; if it is the block that this is called in, pass that block's ctx, " +
	"and write what is to be Independent or Suspended before that block's first write or after its end (atomic.OnCommit)")

// enter waits for the turn, for up to limit.
func (q *queue) enter(ctx context.Context, limit time.Duration) error {
	select {
	case q.turn <- struct{}{}:
		return nil
	default:
	}
	if limit <= 0 {
		return errQueued
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case q.turn <- struct{}{}:
		return nil
	case <-timer.C:
		return errQueued
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *queue) leave() { <-q.turn }
