package main

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/examples/tts/internal/settings"
	"github.com/holdfast-go/holdfast/examples/tts/internal/timeline"
)

// write makes n edits, unless stop is over first.
func (r *run) write(stop context.Context, lane *timeline.Lane, n int) error {
	ctx := context.WithoutCancel(stop)
	pace := time.NewTicker(r.pace)
	defer pace.Stop()
	for range n {
		select {
		case <-pace.C: // as people do: not all at once
		case <-stop.Done():
			return nil
		}
		if err := r.edit(ctx, lane); err != nil {
			return err
		}
	}
	return nil
}

// edit gives some row another text, in one block with the request for its sound.
func (r *run) edit(ctx context.Context, lane *timeline.Lane) (err error) {
	id := r.ids[rand.IntN(len(r.ids))]
	text := r.texts[rand.IntN(len(r.texts))]
	b := block{lane.Begin("edit")}
	defer func() { b.End(err) }()
	err = atomic.Do(ctx, r.studio.db, func(ctx context.Context) (err error) {
		b.Attempt()
		defer func() { b.note(err) }()
		b.Rows(id)
		done := b.Wait() // a worker may hold the row
		defer done()
		return r.studio.Edit(ctx, id, text, r.locking != settings.None)
	}, atomic.Name("edit"), atomic.Isolation(sql.LevelReadCommitted),
		atomic.RetryPolicy{Max: 20, Locks: true})
	if err == nil {
		r.edited()
	}
	return err
}

// block adds to a bar how its attempt failed.
type block struct{ *timeline.Block }

func (b block) note(err error) {
	switch {
	case err == nil:
	case errors.Is(err, dialect.ErrLockNotAvailable):
		b.Failed(timeline.Refused, err)
	default:
		b.Failed(timeline.RolledBack, err)
	}
}
