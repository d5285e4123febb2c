package block

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block/state"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// run sends a statement of block b. Statements of one transaction are
// serialised here, whatever goroutine they come from (rule B10).
func (t *transaction) run(ctx context.Context, b *block, st Statement, send sender) error {
	if err := t.acquire(ctx, b, st); err != nil {
		return err
	}
	defer t.connMu.unlock()
	return t.send(ctx, b, st, send)
}

// acquire waits for the connection. A statement that is refused in any case
// need not wait for another one to finish.
func (t *transaction) acquire(ctx context.Context, b *block, st Statement) error {
	if err := b.Usable(); err != nil {
		return err
	}
	if err := t.connMu.lockWithin(ctx); err == errOwnRows {
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrRowsOpen,
			Reason: "a Scanner or a Valuer of the statement under way sends " + lex.Abbreviate(t.executor.shown(st)) + "; send it before, or afterwards"}
	} else if err != nil {
		return t.mark(b, t.executor.unsent(ctx, b, st), nil)
	}
	return nil
}

// stream sends a statement whose rows outlive the call. The transaction takes
// no other statement until they are read.
func (t *transaction) stream(ctx context.Context, b *block, st Statement) (driver.Rows, error) {
	if err := t.acquire(ctx, b, st); err != nil {
		return nil, err
	}
	defer t.connMu.unlock()
	var rows driver.Rows
	err := t.send(ctx, b, st, func(w backend.Wire, prefix []string, query string) (_ func() error, err error) {
		rows, err = w.Query(ctx, prefix, query, st.Args)
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	stream := t.executor.newStream(rows, nil, nil)
	stream.depth = b.Depth()
	stream.done = func(failure error) error {
		var f *atomic.FailedError
		var e *dialect.Error
		if failure != nil {
			f = t.explain(ctx, b, st, t.executor.failure(ctx, b, st, failure))
			e = t.executor.classify(failure)
		}
		t.touch()
		if failure != nil {
			// Before the connection is free: between the end of the rows and the mark
			// nobody may send.
			failure = t.mark(b, f, e)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.rows == stream {
			t.rows = nil
		}
		return failure
	}
	t.mu.Lock()
	t.rows = stream
	t.mu.Unlock()
	return stream, nil
}

// send needs connMu.
func (t *transaction) send(ctx context.Context, b *block, st Statement, send sender) error {
	v, err := t.admit(b, st)
	if err != nil {
		return err
	}
	opaque := v.Opaque
	var stales stales
	for {
		if ctx.Err() != nil {
			return t.mark(b, t.executor.unsent(ctx, b, st), nil)
		}
		if t.conn == nil {
			conn, err := t.connect(ctx)
			if errors.Is(err, atomic.ErrPoolExhausted) {
				return t.mark(b, &atomic.FailedError{Block: b.Info(), Statement: t.executor.shown(st), Err: err}, nil)
			}
			if err != nil && hasEnded(ctx) {
				return t.mark(b, t.executor.unsent(ctx, b, st), nil)
			}
			if err != nil { // only the block that asked has failed: there is no transaction yet
				t.saw(t.executor.classify(err))
				return t.mark(b, t.executor.failure(ctx, b, st, err), nil)
			}
			t.use(conn)
		}
		pre, first, err := b.Prefix(st.Wait, opaque)
		if refused := (*atomic.BlockError)(nil); errors.As(err, &refused) { // as admit would
			return err
		}
		if err != nil {
			return t.mark(b, &atomic.FailedError{Block: b.Info(), Statement: t.executor.shown(st), Err: err}, nil)
		}
		if v.Hold != "" {
			pre.Statements, t.unhold = append(pre.Statements, v.Hold), v.Unhold
		}
		used := t.conn.wire.Used()
		watched := t.connMu.whileBinding(st, send)
		if b.Explains() {
			watched = t.watching(ctx, first, watched)
		}
		if first {
			watched = t.telling(watched)
		}
		read, err := t.call(b, st, pre, watched)
		t.conn.dirty = t.conn.dirty || v.Session
		if err == nil {
			t.sent(pre, !t.executor.reads(st))
			t.touch()
			return t.read(ctx, b, st, opaque, read)
		}
		// Nothing but BEGIN came before it, so a transaction that died with a
		// stale connection can be begun again on another (rule S6's exception).
		// An opaque statement may have committed a part of itself.
		e := t.executor.classify(err)
		died := used && !opaque && e.Kind == dialect.ErrConnectionLost
		another := (stale(err) || died) && ctx.Err() == nil && stales.another(t.conn.home(t.executor))
		if first && !t.lent && (another || !opaque && t.conn.fails(ctx, t.executor, err)) {
			t.drop().discard()
			continue
		}
		guardHolds := false
		if opaque && !e.NotSent && !refusedControl(err) {
			guardHolds, err = t.askGuard(err)
			e = t.executor.classify(err)
		}
		if first && e.Kind == dialect.ErrLockNotAvailable && refusedControl(err) && t.conn.wire.Idle() {
			return t.notBegun(ctx, b, st, pre, err)
		}
		if !e.NotSent {
			t.sent(pre, true)
			t.guardHolds = guardHolds
		}
		err = t.record(ctx, b, st, err)
		t.touch() // after what is asked about the failure, which is nobody's idleness
		return err
	}
}

// connect takes a connection for the transaction's first statement.
func (t *transaction) connect(ctx context.Context) (*connection, error) {
	if t.readsElsewhere() {
		if conn := t.executor.replica(ctx); conn != nil {
			return conn, nil
		}
	}
	release, err := t.room()
	if err != nil {
		return nil, err
	}
	defer release()
	return t.executor.connect(ctx)
}

// readsElsewhere reports whether the block may be on a replica. What is serializable
// there is not so with what is written (PostgreSQL refuses it).
func (t *transaction) readsElsewhere() bool {
	o := t.root.Opts
	return t.executor.replicas != nil && o.ReadOnly && !o.Deferrable && o.Isolation < sql.LevelSerializable && t.session == nil
}

// call runs send. If that panics, which the types of arguments and of columns may
// make it do, the block is marked, and what has run in front of the statement is
// not sent again.
func (t *transaction) call(b *block, st Statement, pre state.Prefix, send sender) (read func() error, err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if w, ok := t.conn.wire.(backend.PrefixTeller); ok && w.PrefixRan() {
			t.sent(pre, true)
		}
		_ = t.mark(b, &atomic.FailedError{Block: b.Info(), Statement: t.executor.shown(st), Err: errPanicked}, nil)
	}()
	read, err = send(t.conn.wire, pre.Statements, b.tagged(st.SQL))
	returned = true
	return read, err
}

var errPanicked = errors.New("it did not return: a type of one of its values panicked or called runtime.Goexit")

// askGuard finds out at once whether an opaque statement that failed with err has
// ended the transaction before it failed. The server's error does not tell, and
// the work before the statement may then be committed.
func (t *transaction) askGuard(err error) (holds bool, _ error) {
	if !t.conn.wire.Alive() {
		return false, &backend.EndedError{Lost: true, Err: err}
	}
	limit, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	// Not its RELEASE: that goes with the next statement.
	if _, gone := t.conn.wire.Exec(limit, nil, state.GuardHolds, nil); gone != nil {
		return false, &backend.EndedError{RolledBack: rolledBackIn(gone), Err: err}
	}
	return true, err
}

// rolledBackIn reports whether the failure of the guard says what ended the
// transaction: nothing that commits.
func rolledBackIn(gone error) bool {
	var ended *backend.EndedError
	return errors.As(gone, &ended) && ended.RolledBack
}

// read has the rows read of a statement that was sent.
func (t *transaction) read(ctx context.Context, b *block, st Statement, opaque bool, read func() error) error {
	if read == nil {
		return nil
	}
	err := t.connMu.whileReading(read)
	if err != nil {
		if opaque {
			t.guardHolds, err = t.askGuard(err)
		}
		err = t.record(ctx, b, st, err)
	}
	t.touch()
	return err
}

func (t *transaction) rowsOpen(b *block, st Statement) error {
	return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrRowsOpen, Reason: "close them, or read them to the end, before " + lex.Abbreviate(t.executor.shown(st))}
}

// notBegun records that BEGIN itself did not get a lock (SQLite's write lock).
// There is no transaction yet, so only the block that asked has failed; the
// blocks around it may begin one later.
func (t *transaction) notBegun(ctx context.Context, b *block, st Statement, pre state.Prefix, err error) error {
	e := *t.executor.classify(err)
	e.Fatal = false
	t.state.NotBegun(pre)
	return t.mark(b, t.executor.failure(ctx, b, st, err), &e)
}

// admit decides whether b may send st now. Nothing is sent and nothing changes
// if it may not.
func (t *transaction) admit(b *block, st Statement) (v lex.Verdict, err error) {
	open := t.openRows() != nil // first: rows that end with an error mark the block before they are gone
	if err := b.Usable(); err != nil {
		return v, err
	}
	if open {
		return v, t.rowsOpen(b, st)
	}
	if st.Locks && t.root.Opts.ReadOnly {
		return v, &atomic.BlockError{Block: b.Info(), Kind: dialect.ErrReadOnly, Reason: "a locking read needs a block without ReadOnly: " + lex.Abbreviate(t.executor.shown(st))}
	}
	if st.Built {
		return v, nil
	}
	v = t.executor.db.Engine.Inspect(st.SQL)
	if v.Refused != "" {
		return v, &atomic.BlockError{Block: b.Info(), Kind: dialect.ErrUnsupported, Reason: v.Refused}
	}
	if v.Control != "" {
		return v, &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrTransactionControl,
			Reason: v.Control + " would end or change the transaction behind the block's back; use atomic's options, a nested Do or Savepoint, or run it outside the block"}
	}
	if v.Stacked && !t.executor.takesSeveral(st, true) {
		return v, t.executor.severalRefused(b, st)
	}
	if v.Opaque { // it gets a savepoint for a guard
		if err := t.executor.db.Server.Require(dialect.Savepoint); err != nil {
			return v, err
		}
	}
	return v, nil
}

// record notes the failure of a statement that was sent, or could not be, and
// returns what the caller is told.
func (t *transaction) record(ctx context.Context, b *block, st Statement, err error) error {
	f := t.explain(ctx, b, st, t.executor.failure(ctx, b, st, err))
	e := t.executor.classify(err)
	if t.executor.uncompared(st, e) && t.conn.wire.Alive() {
		return f // it has done nothing, and comes again
	}
	return t.mark(b, f, e)
}

// mark fails b, and every block with it if the failure was fatal (rule B8).
func (t *transaction) mark(b *block, f *atomic.FailedError, e *dialect.Error) error {
	if e != nil && !b.Ended() { // else a time limit was faster
		t.saw(e)
	}
	if e != nil && e.Kind == dialect.ErrReadOnly && !t.root.Opts.ReadOnly {
		t.leaveServer()
	}
	if e != nil && (e.Fatal || e.Kind == dialect.ErrConnectionLost || t.dead()) {
		b.Lose(f)
	} else {
		b.Fail(f)
	}
	return f
}

// leaveServer keeps a connection from being used again whose server was the writer
// when it was opened, and is none any more.
func (t *transaction) leaveServer() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		t.conn.dirty = true
	}
}

// dead reports whether the connection is known to be gone.
func (t *transaction) dead() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn != nil && !t.conn.wire.Alive()
}

// tagged is query with a comment by which the server can tell whose statement
// it is, for engines that have no better place for the block's name.
func (b *block) tagged(query string) string {
	if tagger, ok := b.tx.executor.db.Engine.(backend.Tagger); ok && b.Name() != "" {
		return tagger.Tag(b.Name()) + query
	}
	return query
}

// answered tells an answer of the server from no answer: only the former
// says that the transaction is not committed.
func (t *transaction) answered(err error) bool {
	if errors.Is(err, backend.ErrCommitRefused) {
		return true
	}
	if isUncertain(err) {
		return false
	}
	var p *backend.PrefixError
	if errors.As(err, &p) {
		e := t.executor.classify(p.Err)
		return e.Kind != dialect.ErrConnectionLost && e.Code != ""
	}
	e := t.executor.classify(err)
	return e.NotSent || e.Kind != dialect.ErrConnectionLost && e.Code != ""
}
