package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// wire sends statements on one connection. There is no network, so the
// statements of a prefix run one by one.
//
// SQLite ends a transaction by itself after some errors: a full disk, an I/O
// error, a write that was interrupted, ON CONFLICT ROLLBACK. None of them says
// so, so after each error in a transaction the wire looks whether it is still
// open.
type wire struct {
	conn  rawConn
	cache *cache // nil: the connection is not ours
	queue *queue

	wait      time.Duration // the busy timeout in force
	begun     bool          // a transaction is open
	reading   bool          // it is read-only
	writing   bool          // holds the queue's turn
	used      bool
	lost      bool
	rows      int  // results that are being read
	hooked    bool // the next two are told
	committed bool // since the last statement began, something was to be committed
	undone    bool // and that has failed

	watched   bool   // a text has run that could change the session
	before    *state // what that was before; nil: not known
	readsOnly bool   // it is query_only by itself
}

// endedError is an error that has ended the whole transaction.
type endedError struct{ error }

func (e *endedError) Unwrap() error { return e.error }

// unansweredError: the statement may have been applied, or was and has lost its
// result.
type unansweredError struct{ error }

func (e *unansweredError) Unwrap() error { return e.error }

var errGone = fmt.Errorf("the connection was closed: %w", dialect.ErrConnectionLost)

// Exec implements backend.Wire.
func (w *wire) Exec(ctx context.Context, prefix []string, query string, args []any) (driver.Result, error) {
	st, values, err := w.start(ctx, prefix, query, args)
	if err != nil {
		return nil, err
	}
	res, err := st.exec.ExecContext(ctx, values)
	err = st.about(err)
	w.finish(st)
	switch {
	case err != nil:
		return w.notExecuted(ctx, st, err)
	case !st.dml: // the count would be that of an earlier statement
		w.noteWait(query)
		return driver.RowsAffected(0), nil
	}
	return res, nil
}

// notExecuted is for a statement that failed, or that has run although ctx
// ended just then, which the driver reports as a failure.
func (w *wire) notExecuted(ctx context.Context, st *statement, err error) (driver.Result, error) {
	if w.leavesOpen(st, err) {
		return nil, w.unanswered(err)
	}
	if ctx.Err() == nil || w.begun || !st.writes {
		return nil, w.failed(err)
	}
	if !w.hooked || w.undone { // by a full disk, or by an I/O error, of which the driver does not say
		return nil, &unansweredError{err}
	}
	if !w.committed {
		return nil, err
	}
	return w.lastResult(err)
}

// lastResult asks for the result of a statement that was applied.
func (w *wire) lastResult(cause error) (driver.Result, error) {
	rows, err := w.conn.QueryContext(context.Background(), "SELECT changes(), last_insert_rowid()", nil)
	if err != nil {
		return nil, &unansweredError{cause}
	}
	defer func() { _ = rows.Close() }()
	row := make([]driver.Value, 2)
	if err := rows.Next(row); err != nil {
		return nil, &unansweredError{cause}
	}
	changes, _ := row[0].(int64)
	id, _ := row[1].(int64)
	return result{id, changes}, nil
}

type result struct{ id, changes int64 }

func (r result) LastInsertId() (int64, error) { return r.id, nil }
func (r result) RowsAffected() (int64, error) { return r.changes, nil }

// Query implements backend.Wire.
func (w *wire) Query(ctx context.Context, prefix []string, query string, args []any) (driver.Rows, error) {
	st, values, err := w.start(ctx, prefix, query, args)
	if err != nil {
		return nil, err
	}
	inner, err := st.query.QueryContext(ctx, values)
	if err != nil {
		err = st.about(err)
		w.finish(st)
		return nil, w.notQueried(ctx, st, err)
	}
	w.rows++
	return newRows(ctx, w, st, inner), nil
}

func (w *wire) notQueried(ctx context.Context, st *statement, err error) error {
	if w.leavesOpen(st, err) {
		return w.unanswered(err)
	}
	if ctx.Err() != nil && !w.begun && st.writes && (!w.hooked || w.committed) {
		return &unansweredError{err}
	}
	return w.failed(err)
}

// start checks everything that can be checked before a statement runs, runs
// prefix and prepares query.
func (w *wire) start(ctx context.Context, prefix []string, query string, args []any) (*statement, []driver.NamedValue, error) {
	if !w.Alive() {
		return nil, nil, &backend.NotSentError{Closed: true, Err: errGone}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, &backend.NotSentError{Err: err}
	}
	kind, err := w.cache.kindOf(query)
	if err == nil {
		err = kind.accepts(args)
	}
	var values []driver.NamedValue
	if err == nil {
		values, err = bind(args)
	}
	if err != nil {
		return nil, nil, &backend.NotSentError{Err: err}
	}
	for _, text := range prefix {
		if err := w.control(ctx, text); err != nil {
			return nil, nil, &backend.PrefixError{Statement: text, Err: err}
		}
	}
	if !kind.keep {
		w.watch()
	}
	w.used, w.committed, w.undone = true, false, false
	alone := kind.writes && !w.begun && !w.writing
	if alone {
		if err := w.enter(ctx); err != nil {
			return nil, nil, err
		}
	}
	st, err := w.cache.prepare(ctx, w.conn, query, kind)
	if err != nil {
		w.leave(alone)
		return nil, nil, w.failed(err)
	}
	st.alone, st.valued = alone, len(values) > 0
	return st, values, nil
}

// finish gives back what start took. A caller's own BEGIN, outside any block,
// leaves a connection that is not idle.
func (w *wire) finish(st *statement) {
	w.cache.done(st)
	w.leave(st.alone)
	if st.ends && !w.lost {
		w.look()
	}
}

func (w *wire) enter(ctx context.Context) error {
	if err := w.queue.enter(ctx, w.wait); err != nil {
		return err
	}
	w.writing = true
	return nil
}

func (w *wire) leave(held bool) {
	if held && w.writing {
		w.writing = false
		w.queue.leave()
	}
}

// Alive implements backend.Wire.
func (w *wire) Alive() bool { return !w.lost && (w.cache != nil || w.conn.IsValid()) }

// Idle implements backend.Wire.
func (w *wire) Idle() bool { return !w.begun && w.rows == 0 && w.Alive() }

// Used implements backend.Wire.
func (w *wire) Used() bool { return w.used }

// ID implements backend.Wire. Nobody numbers SQLite's connections.
func (w *wire) ID() int64 { return 0 }
