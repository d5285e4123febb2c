package block

import (
	"database/sql/driver"
	"io"
	"sync"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// watchedRows notices an error that the server sends in the middle of the
// rows: MySQL reports a deadlock there (rule B8).
type watchedRows struct {
	backend.Rows
	failure error
	closed  bool
}

func watch(rows driver.Rows) *watchedRows { return &watchedRows{Rows: backend.Rows{Rows: rows}} }

func (r *watchedRows) note(err error) error {
	if err != nil && err != io.EOF && r.failure == nil {
		r.failure = err
	}
	return err
}

// Next reads one row.
func (r *watchedRows) Next(dest []driver.Value) error { return r.note(r.Rows.Next(dest)) }

// NextResultSet goes on to the next result set.
func (r *watchedRows) NextResultSet() error { return r.note(r.Rows.NextResultSet()) }

// Close reads what is left.
func (r *watchedRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	return r.note(r.Rows.Close())
}

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

func newStream(rows driver.Rows, done func(error) error) *streamRows {
	return &streamRows{watchedRows: *watch(rows), done: done}
}

// Next reads one row. The end of the last result set, and an error, free the
// connection at once.
func (r *streamRows) Next(dest []driver.Value) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		if r.result != nil {
			return r.result
		}
		return io.EOF
	}
	err := r.watchedRows.Next(dest)
	if err == nil || err == io.EOF && r.watchedRows.HasNextResultSet() {
		return err
	}
	if endErr := r.end(); endErr != nil {
		return endErr
	}
	return err
}

// NextResultSet goes on to the next result set.
func (r *streamRows) NextResultSet() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return io.EOF
	}
	return r.watchedRows.NextResultSet()
}

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
