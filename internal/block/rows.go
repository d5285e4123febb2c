package block

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// watchedRows notices an error that the server sends in the middle of the
// rows: MySQL reports a deadlock there (rule B8).
type watchedRows struct {
	backend.Rows
	rest    *rest // nil: all of it is read
	drains  bool  // by itself, since the driver would not look at ctx
	failure error
	read    bool // to the end
	closed  bool
}

func (x *Executor) watch(rows driver.Rows, rest *rest) *watchedRows {
	_, drains := x.db.Engine.(backend.Drainer)
	return &watchedRows{Rows: backend.Rows{Rows: rows}, rest: rest, drains: drains}
}

func (r *watchedRows) note(err error) error {
	switch {
	case err == io.EOF:
		r.read = !r.HasNextResultSet()
	case err != nil && r.failure == nil:
		r.failure = err
	}
	return err
}

// Next reads one row.
func (r *watchedRows) Next(dest []driver.Value) error { return r.note(r.Rows.Next(dest)) }

// NextResultSet goes on to the next result set.
func (r *watchedRows) NextResultSet() error { return r.note(r.Rows.NextResultSet()) }

// Close reads what is left. It does not wait for all of a long rest if the
// statement may be given up: what comes of that is no failure.
func (r *watchedRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.rest == nil && r.drains && !r.read && r.failure == nil {
		_ = r.note(r.drain())
	}
	if r.rest == nil || r.read {
		return r.note(r.Rows.Close())
	}
	defer time.AfterFunc(restWait, r.rest.giveUp).Stop()
	drained := r.drain()
	closed := r.Rows.Close()
	if r.rest.givenUp() {
		return nil
	}
	_ = r.note(drained)
	return r.note(closed)
}

// drain reads what is left row by row: a driver may not look at its ctx any more
// while it closes rows.
func (r *watchedRows) drain() error {
	for {
		into := make([]driver.Value, len(r.Columns()))
		for {
			err := r.Rows.Next(into)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
		}
		if !r.HasNextResultSet() {
			return nil
		}
		if err := r.Rows.NextResultSet(); err != nil {
			return err
		}
	}
}

// restWait is how long rows that nobody wants any more are read for the sake of
// their connection.
const restWait = 100 * time.Millisecond

// A rest is what can be given up of a statement outside any block when its reader
// has enough: the server works on it until it is told, and so would the reader
// wait. In a block the connection is worth more than the time; and what a statement has
// written would be undone with it (onlyReads).
type rest struct {
	context.Context // of the statement
	cancel          context.CancelCauseFunc
}

func newRest(ctx context.Context) *rest {
	ctx, cancel := context.WithCancelCause(ctx)
	return &rest{ctx, cancel}
}

var errEnough = errors.New("the rest of the rows was not wanted")

func (r *rest) giveUp()       { r.cancel(errEnough) }
func (r *rest) givenUp() bool { return context.Cause(r) == errEnough }

// release is for when nothing is to be read any more.
func (r *rest) release() { r.cancel(nil) }

// streamRows are rows that a caller reads at its own pace. done is called once,
// with the server's error if there was one, and says what the caller is told.
// The mutex is for a block that ends, or runs into a time limit, while another
// goroutine is still reading.
type streamRows struct {
	watchedRows
	done  func(failure error) error
	depth int // of the block that reads them

	mu     sync.Mutex
	ended  bool
	result error
}

func (x *Executor) newStream(rows driver.Rows, rest *rest, done func(error) error) *streamRows {
	return &streamRows{watchedRows: *x.watch(rows, rest), done: done}
}

// Next reads one row. The end of the last result set, and an error, free the
// connection at once.
func (r *streamRows) Next(dest []driver.Value) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return cmp.Or(r.result, io.EOF)
	}
	err := r.watchedRows.Next(dest)
	if err == nil || err == io.EOF && r.watchedRows.HasNextResultSet() {
		return err
	}
	return r.endWith(err)
}

// NextResultSet goes on to the next result set. An error, which may be that of a
// statement further on in a procedure, frees the connection.
func (r *streamRows) NextResultSet() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return cmp.Or(r.result, io.EOF)
	}
	if err := r.watchedRows.NextResultSet(); err != nil {
		return r.endWith(err)
	}
	return nil
}

// endWith ends the rows, of which err is the driver's last word, and returns what the
// caller is told.
func (r *streamRows) endWith(err error) error { return cmp.Or(r.end(), err) }

// HasNextResultSet reports whether there is one.
func (r *streamRows) HasNextResultSet() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.ended && r.watchedRows.HasNextResultSet()
}

// Close frees the connection.
func (r *streamRows) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end()
}

// cutOff closes the rows under their reader, who would otherwise take the end
// for the last row.
func (r *streamRows) cutOff(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended && r.end() == nil {
		r.result = why
	}
}

func (r *streamRows) end() error {
	if !r.ended {
		r.ended = true
		_ = r.watchedRows.Close()
		r.result = r.done(r.failure)
	}
	return r.result
}
