package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// wire sends statements on one connection of pgx. It is kept with the
// connection, and with it what the connection has prepared.
type wire struct {
	pgx    *pgx.Conn
	conn   *pgconn.PgConn
	params pgx.ExtendedQueryBuilder // the arguments that were bound last
	bound  int                      // their length
	open   exchange                 // the one in progress, or the last

	alone      bool     // control statements take a round trip of their own
	named      bool     // the connection keeps prepared statements
	statements *cache   // of callers
	controls   *cache   // of blocks
	dropped    []string // prepared statements to be closed

	ran   bool // the prefix of the last call has run
	begun bool // a transaction of ours is open, if nothing has ended it unseen
	ended bool // something has: nobody vouches for the connection
	// demoted: the server takes no writes. It may have been the writer once, and
	// another connection finds who is now.
	demoted bool
	used    bool
	reused  time.Time // when the pool last handed the connection out

	session      [len(reported)]string
	key          []byte // that cancels what runs on the connection, while the driver has none
	unreplicated bool   // the server has committed without its standby since start

	tells    bool     // COMMIT is to be followed by the question where it stands
	position string   // the answer
	applied  position // what a standby has said that it has applied
}

// maxControls bounds the control statements that a connection keeps. They are
// few and come again, but for limits that are computed.
const maxControls = 64

// keep is the key of the wire in its connection's custom data.
const keep = "github.com/holdfast-go/holdfast/dialect/postgres"

// wireOf returns the one wire of c.
func wireOf(c *pgx.Conn, s settings) *wire {
	kept := c.PgConn().CustomData()
	if w, ok := kept[keep].(*wire); ok {
		return w
	}
	limit, named := s.cacheOf(c.Config())
	w := &wire{
		pgx: c, conn: c.PgConn(), reused: time.Now(),
		alone: s.alone, named: named, statements: newCache(limit), controls: newCache(maxControls),
	}
	kept[keep] = w
	return w
}

// Exec implements backend.Wire.
func (w *wire) Exec(ctx context.Context, prefix []string, query string, args []any) (driver.Result, error) {
	if len(args) == 0 && w.holdsSeveral(query) {
		return w.execSeveral(ctx, prefix, query)
	}
	st, result, err := w.send(ctx, prefix, query, args)
	if err != nil {
		return nil, err
	}
	tag, err := result.Close()
	if err := w.open.finish(st, err); err != nil {
		return nil, err
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// Query implements backend.Wire.
func (w *wire) Query(ctx context.Context, prefix []string, query string, args []any) (driver.Rows, error) {
	st, result, err := w.send(ctx, prefix, query, args)
	if err != nil {
		return nil, err
	}
	r := &rows{wire: w, st: st, result: result}
	// The first row is awaited, so that an error in front of it is returned here.
	if r.waiting = r.advance(); r.err != nil {
		return nil, r.err
	}
	fields := result.FieldDescriptions()
	if st.silent {
		fields = nil
	}
	if st.columns == nil || !slices.Equal(st.columns.fields, fields) {
		if st.columns != nil && st.described { // another type than it was asked for in
			w.drop(w.statements.drop(st.text)...)
		}
		st.columns = newColumns(w.pgx.TypeMap(), slices.Clone(fields))
	}
	r.columns = st.columns
	return r, nil
}

// Rollback implements backend.Wire.
func (w *wire) Rollback(ctx context.Context, suffix []string) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	if w.gone() {
		return &backend.EndedError{}
	}
	if w.alone {
		return w.rollbackAlone(ctx, suffix)
	}
	x := w.start(ctx)
	x.inside = false
	x.queueControl("ROLLBACK")
	x.queueControl(suffix...)
	if err := x.flush(); err != nil {
		return err
	}
	for range x.control {
		if _, err := x.readControl(); err != nil {
			return x.finish(nil, err)
		}
		w.begun = false
	}
	return x.finish(nil, nil)
}

// PrefixRan implements backend.PrefixTeller.
func (w *wire) PrefixRan() bool { return w.ran }

// Alive implements backend.Wire.
func (w *wire) Alive() bool { return !w.conn.IsClosed() }

// Idle implements backend.Wire. The transaction's status is what the server
// reported last, and out of date once the connection is closed.
func (w *wire) Idle() bool {
	return !w.conn.IsClosed() && !w.conn.IsBusy() && w.conn.TxStatus() == 'I' && !w.ended
}

// SessionChanged implements backend.SessionTeller.
func (w *wire) SessionChanged() bool { return w.demoted || w.unsettled() }

// gone reports whether a transaction that was begun here is no longer open. The
// server says after each exchange whether one is (ReadyForQuery).
func (w *wire) gone() bool {
	if !w.begun || w.conn.TxStatus() != 'I' {
		return false
	}
	w.begun, w.ended = false, true
	return true
}

// Used implements backend.Wire.
func (w *wire) Used() bool { return w.used }

// ID implements backend.Wire.
func (w *wire) ID() int64 { return int64(w.conn.PID()) }

// ready says why nothing can be sent now, or nil.
func (w *wire) ready(ctx context.Context) error {
	switch {
	case w.conn.IsClosed():
		return &backend.NotSentError{Closed: true, Err: pgconn.ErrConnClosed}
	case w.conn.IsBusy():
		return &backend.NotSentError{Err: errors.New("rows of another statement are still being read on this connection")}
	case ctx.Err() != nil:
		return &backend.NotSentError{Err: ctx.Err()}
	}
	return nil
}

// send sends prefix and query and returns the result of query. The exchange
// stays open until it is read.
//
// What the connection remembers of a statement may no longer be true: its tables
// have changed since. The server then refuses it before it runs. If nothing but
// BEGIN has come before, it is described anew and sent again; else whoever runs
// the transaction again meets with nothing old.
func (w *wire) send(ctx context.Context, prefix []string, query string, args []any) (*statement, *pgconn.ResultReader, error) {
	st, result, err := w.sent(ctx, prefix, query, args)
	if err != nil {
		if a, ok := answerOf(err); ok && a.code == idledOut {
			err = &backend.NotSentError{Closed: true, Err: err}
		}
	}
	return st, result, err
}

// idledOut is what the server says before it closes a session that has sent nothing, and has
// no transaction, for idle_session_timeout. It is on its way when the statement leaves, and
// nobody reads that any more: the timer is off before a statement runs.
const idledOut = "57P05"

// sent is send, but for what the server says to a session that was idle.
func (w *wire) sent(ctx context.Context, prefix []string, query string, args []any) (*statement, *pgconn.ResultReader, error) {
	if err := w.ready(ctx); err != nil {
		return nil, nil, err
	}
	if w.gone() { // by somebody who has the driver's connection
		return nil, nil, &backend.EndedError{Err: &backend.NotSentError{Err: errors.New("nothing was sent")}}
	}
	w.ran = false
	query, args, once, err := w.rewrite(ctx, query, args)
	if err != nil {
		return nil, nil, &backend.NotSentError{Err: err}
	}
	var st *statement
	if !once {
		st = w.statements.get(query)
	}
	if st != nil {
		err = w.bind(st, args)
		if errors.As(err, new(*argumentError)) { // for the type that the parameter had
			st, err = w.rebind(ctx, st, args, err)
		}
	}
	if st == nil && err == nil {
		if err = sendable(query, args); err == nil && w.holdsSeveral(query) {
			err = errSeveral
		}
	}
	if err != nil {
		return nil, nil, &backend.NotSentError{Err: err}
	}
	if st == nil {
		st = newStatement(query)
		st.once = once
		return w.attempt(ctx, prefix, st, args)
	}
	first := w.conn.TxStatus() == 'I' && (len(prefix) == 0 || begins(prefix[0]))
	known, result, err := w.attempt(ctx, prefix, st, args)
	switch {
	case err == nil || !outdated(err):
		return known, result, err
	case !first:
		return nil, nil, &outdatedError{err}
	case w.undo(ctx) != nil:
		return nil, nil, err
	}
	return w.attempt(ctx, prefix, newStatement(query), args)
}

// rebind binds args to a description of st that is new, if its parameters are of
// other types now. In a transaction nothing is asked that could fail it.
func (w *wire) rebind(ctx context.Context, st *statement, args []any, failure error) (*statement, error) {
	w.drop(w.statements.drop(st.text)...)
	if w.conn.TxStatus() != 'I' {
		return nil, failure
	}
	fresh := newStatement(st.text)
	x := w.start(ctx)
	x.queueDescribe(fresh)
	if x.flush() != nil {
		return nil, failure
	}
	if err := x.finish(nil, x.readDescription(fresh)); err != nil || slices.Equal(fresh.params.ParamOIDs, st.params.ParamOIDs) {
		return nil, failure
	}
	return fresh, w.bind(fresh, args)
}

// undo rolls back the transaction that an attempt has begun.
func (w *wire) undo(ctx context.Context) error {
	if err := w.ready(ctx); err != nil || !w.begun {
		return err
	}
	return w.Rollback(ctx, nil)
}

// attempt sends prefix and st. The arguments of a statement that the connection
// knows are bound already.
func (w *wire) attempt(ctx context.Context, prefix []string, st *statement, args []any) (*statement, *pgconn.ResultReader, error) {
	after := len(prefix) > 0
	if w.alone {
		if err := w.controlAlone(ctx, prefix); err != nil {
			return nil, nil, err
		}
		prefix = nil
	}
	if len(prefix) == 0 && len(w.dropped) == 0 && st.known && st.described && st.sd.Name != "" {
		return w.direct(ctx, st)
	}
	x, err := w.prepare(ctx, prefix, st, args)
	if err != nil {
		return nil, nil, err
	}
	if x.asked {
		if err := x.bindOpen(st, args); err != nil {
			_ = x.finish(nil, nil)
			if !after {
				return nil, nil, &backend.NotSentError{Err: err}
			}
			return nil, nil, err // prefix has run
		}
		x.queue(st)
		if err := x.flush(); err != nil {
			return nil, nil, err
		}
	}
	result, err := results[*pgconn.ResultReader](x.pipe)
	if err != nil {
		return nil, nil, x.finish(st, err)
	}
	return st, result, nil
}

// prepare begins the exchange in which st is sent.
//
// A statement that the connection does not know yet takes a round trip more: it
// is described first, so that its arguments can be encoded as the types that
// its parameters have. prefix goes with the description and not with the
// statement, so that an error in the statement's text, like any other error of
// it, finds the savepoints of prefix set.
func (w *wire) prepare(ctx context.Context, prefix []string, st *statement, args []any) (*exchange, error) {
	first := w.conn.TxStatus() == 'I' // an error ends nothing but what is begun here
	// Elsewhere it would end the block's transaction before the types can be given.
	guarded := !first && !st.known && len(args) > 0 && !w.alone
	for again := false; ; again = true {
		x := w.start(ctx)
		if again && !first {
			x.queueControl("ROLLBACK TO SAVEPOINT " + typesGuard)
		} else {
			x.queueControl(prefix...)
			if guarded {
				x.queueControl("SAVEPOINT " + typesGuard)
			}
		}
		n := len(x.control)
		if st.known {
			x.queue(st)
		} else {
			x.queueDescribe(st)
		}
		if guarded {
			x.queueControl("RELEASE SAVEPOINT " + typesGuard)
		}
		if err := x.flush(); err != nil {
			return nil, err
		}
		if err := x.readPrefix(n); err != nil {
			return nil, x.finish(nil, err)
		}
		w.ran = true
		if st.known {
			return x, nil
		}
		err := x.readDescription(st)
		if err == nil {
			x.asked = true
			return x, nil
		}
		err = x.finish(nil, err)
		if !(first || guarded) || !w.giveType(st, args, err) || first && w.undo(ctx) != nil {
			return nil, err
		}
	}
}
