package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/examples/tts/internal/settings"
	"github.com/holdfast-go/holdfast/examples/tts/internal/timeline"
)

// claimSize is how many rows a worker takes at once.
const claimSize = 8

// work claims rows and renders them until the writers have finished and nothing
// is left, or stop is over. A block that has begun is not interrupted: ctx
// outlives stop.
func (r *run) work(stop context.Context, lane *timeline.Lane) error {
	ctx := context.WithoutCancel(stop)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for stop.Err() == nil {
		last := r.writersDone()
		n, err := r.claim(ctx, lane)
		if err != nil && !errors.Is(err, dialect.ErrLockNotAvailable) {
			return err
		}
		if n > 0 {
			continue
		}
		if last {
			if left, err := r.studio.Pending(ctx); err != nil || left == 0 {
				return err
			}
		}
		// Nothing to claim, or another worker has it: look again a little later.
		pause.Reset(2 * time.Millisecond)
		select {
		case <-pause.C:
		case <-stop.Done():
		}
	}
	return nil
}

// claim renders one batch in one block: the rows stay locked from the moment
// they are read until their sounds are stored, so no edit comes between.
func (r *run) claim(ctx context.Context, lane *timeline.Lane) (n int, err error) {
	b := block{lane.Begin("claim")}
	defer func() { b.End(err) }()
	if r.locking == settings.None {
		return r.claimUnlocked(ctx, b)
	}
	err = atomic.Do(ctx, r.studio.db, func(ctx context.Context) (err error) {
		b.Attempt()
		defer func() { b.note(err) }()
		done := b.Wait()
		audios, err := r.find(ctx)
		done()
		if err != nil || len(audios) == 0 {
			n = 0
			return err
		}
		b.Rows(rowIDs(audios)...)
		if r.locking == settings.SkipLocked {
			b.Statement()
			skipped, err := r.studio.PassedOver(ctx, audios)
			if err != nil {
				return err
			}
			b.Skipped(skipped)
		}
		n = len(audios)
		return r.render(ctx, b.Block, audios)
	}, atomic.Name("claim"), atomic.Isolation(sql.LevelReadCommitted), atomic.Retry(20))
	r.rendered(n, err)
	return n, err
}

func (r *run) find(ctx context.Context) ([]*Audio, error) {
	if r.locking == settings.Wait {
		return r.studio.FindAndWait(ctx, claimSize)
	}
	return r.studio.FindForUpdate(ctx, claimSize, r.locking == settings.SkipLocked)
}

// claimUnlocked is the program without locks that everybody writes first: it
// reads, works, and writes what it has worked out from what it read.
func (r *run) claimUnlocked(ctx context.Context, b block) (int, error) {
	b.Attempt()
	b.Unlocked()
	b.Statement()
	audios, err := r.studio.Find(ctx, claimSize)
	if err != nil || len(audios) == 0 {
		return 0, err
	}
	b.Rows(rowIDs(audios)...)
	paths, err := r.speak(ctx, audios)
	if err != nil {
		return 0, err
	}
	err = atomic.Do(ctx, r.studio.db, func(ctx context.Context) error {
		return r.store(ctx, b.Block, audios, paths)
	}, atomic.Name("store"), atomic.Isolation(sql.LevelReadCommitted), atomic.Retry(20))
	r.rendered(len(audios), err)
	return len(audios), err
}

func (r *run) render(ctx context.Context, b *timeline.Block, audios []*Audio) error {
	paths, err := r.speak(ctx, audios)
	if err != nil {
		return err
	}
	return r.store(ctx, b, audios, paths)
}

// speak writes the sound files.
func (r *run) speak(ctx context.Context, audios []*Audio) ([]string, error) {
	paths := make([]string, len(audios))
	for i, a := range audios {
		paths[i] = filepath.Join(r.out, fmt.Sprintf("audio-%06d.wav", a.ID))
		if err := r.voice.Render(ctx, paths[i], a.Text, a.Speed); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// store notes their paths and clears the flags.
func (r *run) store(ctx context.Context, b *timeline.Block, audios []*Audio, paths []string) error {
	for i, a := range audios {
		done := b.Wait()
		err := r.studio.StoreSound(ctx, a.ID, paths[i])
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

func rowIDs(audios []*Audio) []int64 {
	all := make([]int64, len(audios))
	for i, a := range audios {
		all[i] = a.ID
	}
	return all
}
