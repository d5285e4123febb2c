package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/examples/tts/internal/progress"
	"github.com/holdfast-go/holdfast/examples/tts/internal/settings"
	"github.com/holdfast-go/holdfast/examples/tts/internal/summary"
	"github.com/holdfast-go/holdfast/examples/tts/internal/timeline"
	"github.com/holdfast-go/holdfast/examples/tts/internal/voice"
)

// run is one run: one way of locking, on fresh rows.
type run struct {
	settings settings.Settings
	locking  settings.Locking
	studio   studio
	voice    *voice.Voice
	texts    []string
	out      string // where the sounds go
	pace     time.Duration

	recorder *timeline.Recorder
	progress *progress.Progress
	ids      []int64 // of the rows
	writing  atomic.Int32
	edits    atomic.Int64
	sounds   atomic.Int64
}

// do fills the database, lets workers and writers loose, and compares every
// file with its row when they are done. If stop ends first, blocks in progress
// end as they would have, and the rest is left.
func (r *run) do(stop context.Context) (summary.Summary, error) {
	ctx := context.WithoutCancel(stop)
	if err := r.studio.Fill(ctx, r.texts, r.settings.Rows); err != nil {
		return summary.Summary{}, err
	}
	rows, err := r.studio.All(ctx)
	if err != nil {
		return summary.Summary{}, errors.Join(err, r.studio.Drop(ctx))
	}
	r.ids = rowIDs(rows)

	start := time.Now()
	r.recorder = timeline.NewRecorder(timeline.Config{})
	err = r.actors(stop)
	elapsed := time.Since(start)
	if err == nil && stop.Err() == nil {
		r.progress.Add(steps(r.settings)) // two edits of one row may have shared a sound
	}
	r.progress.End()
	if err == nil {
		err = r.compare(ctx)
	}
	result := r.summarise(elapsed)
	result.Interrupted = stop.Err() != nil
	if err == nil {
		result.Pending, err = r.studio.Pending(ctx)
	}
	return result, errors.Join(err, r.studio.Drop(ctx))
}

// actors runs the workers and writers to their end.
func (r *run) actors(stop context.Context) error {
	group, stop := errgroup.WithContext(stop)
	r.writing.Store(int32(r.settings.Writers))
	for range r.settings.Workers {
		lane := r.recorder.Lane(timeline.Worker)
		group.Go(func() error { return r.work(stop, lane) })
	}
	for i := range r.settings.Writers {
		n := r.settings.Edits / r.settings.Writers
		if i < r.settings.Edits%r.settings.Writers {
			n++
		}
		lane := r.recorder.Lane(timeline.Writer)
		group.Go(func() error {
			defer r.writing.Add(-1)
			return r.write(stop, lane, n)
		})
	}
	return group.Wait()
}

// compare reads every file back and looks whether it speaks its row's text. A
// row that still needs audio, because the run was interrupted, has no file to be
// right.
func (r *run) compare(ctx context.Context) error {
	rows, err := r.studio.All(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.IsAudioRequired {
			continue
		}
		label, err := voice.ReadLabel(row.Path)
		if err != nil {
			return err
		}
		if !label.Speaks(row.Text) {
			r.recorder.Stale(timeline.StaleFile{Row: row.ID, Spoken: label.Text, Text: row.Text})
		}
	}
	return nil
}

func (r *run) summarise(elapsed time.Duration) summary.Summary {
	totals := r.recorder.Totals()
	return summary.Summary{
		Engine: r.studio.db.Server().String(), Locking: string(r.locking), Voice: r.voice.Name(),
		Rows: r.settings.Rows, Edits: int(r.edits.Load()),
		Workers: r.settings.Workers, Writers: r.settings.Writers, Rendered: int(r.sounds.Load()),
		Blocks: totals.Blocks, Retries: totals.Retries, LockWaits: totals.LockWaits,
		Refused: totals.Refused, Skipped: totals.Skipped, Stale: len(r.recorder.Recording().Stale),
		Elapsed: elapsed,
	}
}

// steps is the most that there is to do: every row's sound, every edit, and a
// sound for each of those.
func steps(s settings.Settings) int { return s.Rows + 2*s.Edits }

func (r *run) writersDone() bool { return r.writing.Load() == 0 }

func (r *run) edited() {
	r.edits.Add(1)
	r.progress.Add(1)
}

func (r *run) rendered(n int, err error) {
	if err == nil {
		r.sounds.Add(int64(n))
		r.progress.Add(n)
	}
}

// soundsIn is the directory for the sounds of one run, and what removes it.
func soundsIn(dir string, locking settings.Locking) (string, func() error, error) {
	if dir == "" {
		dir, err := os.MkdirTemp("", "tts-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	dir = filepath.Join(dir, string(locking))
	if err := os.MkdirAll(dir, fs.FileMode(0o755)); err != nil {
		return "", nil, err
	}
	return dir, func() error { return nil }, nil
}
