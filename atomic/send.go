package atomic

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// run sends a statement of block b. Statements of one transaction are
// serialised here, whatever goroutine they come from (rule B10).
func (t *transaction) run(ctx context.Context, b *block, st Statement, send sender) error {
	if err := t.takeTurn(ctx, b, st); err != nil {
		return err
	}
	defer t.turn.give()
	return t.send(ctx, b, st, send)
}

// takeTurn waits for the connection. A statement that is refused in any case
// need not wait for another one to finish.
func (t *transaction) takeTurn(ctx context.Context, b *block, st Statement) error {
	t.mu.Lock()
	err := t.usable(b)
	t.mu.Unlock()
	if err != nil {
		return err
	}
	if err := t.turn.take(ctx); err != nil {
		return t.mark(b, t.gate.unsent(ctx, b, st), nil)
	}
	return nil
}

// stream sends a statement whose rows outlive the call. The transaction takes
// no other statement until they are read.
func (t *transaction) stream(ctx context.Context, b *block, st Statement) (driver.Rows, error) {
	if err := t.takeTurn(ctx, b, st); err != nil {
		return nil, err
	}
	defer t.turn.give()
	var rows driver.Rows
	err := t.send(ctx, b, st, func(w backend.Wire, prefix []string, query string) (_ bool, err error) {
		rows, err = w.Query(ctx, prefix, query, st.Args)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	stream := newStream(rows, nil)
	stream.depth = b.depth
	stream.done = func(failure error) error {
		var f *FailedError
		var e *dialect.Error
		if failure != nil {
			f = t.explain(ctx, b, st, t.gate.failure(ctx, b, st, failure))
			e = t.gate.classify(failure)
		}
		t.touch()
		// In one step: between the end of the rows and the mark nobody may send.
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.rows == stream {
			t.rows = nil
		}
		if failure == nil {
			return nil
		}
		return t.marked(b, f, e)
	}
	t.mu.Lock()
	t.rows = stream
	t.mu.Unlock()
	return stream, nil
}

// send needs the turn.
func (t *transaction) send(ctx context.Context, b *block, st Statement, send sender) error {
	opaque, session, err := t.admit(b, st)
	if err != nil {
		return err
	}
	var stales stales
	for {
		if ctx.Err() != nil {
			return t.mark(b, t.gate.unsent(ctx, b, st), nil)
		}
		if t.conn == nil {
			if err := t.room(); err != nil {
				return t.mark(b, &FailedError{Block: b.info(), Statement: t.gate.shown(st), Err: err}, nil)
			}
			conn, err := t.gate.connect(ctx)
			if err != nil && hasEnded(ctx) {
				return t.mark(b, t.gate.unsent(ctx, b, st), nil)
			}
			if err != nil { // only the block that asked has failed: there is no transaction yet
				t.saw(t.gate.classify(err))
				return t.mark(b, t.gate.failure(ctx, b, st, err), nil)
			}
			t.hold(conn)
		}
		t.mu.Lock()
		load, err := t.load(b, st, opaque)
		first := t.phase == unsent
		t.mu.Unlock()
		if err != nil {
			return t.mark(b, &FailedError{Block: b.info(), Statement: t.gate.shown(st), Err: err}, nil)
		}
		used := t.conn.wire.Used()
		watched := send
		if b.explains() {
			watched = t.watching(ctx, first, send)
		}
		repeatable, err := watched(t.conn.wire, load.prefix, b.tagged(st.SQL))
		if err == nil {
			t.conn.dirty = t.conn.dirty || session
			t.mu.Lock()
			t.arrived(load)
			t.wrote = t.wrote || !st.reads()
			t.mu.Unlock()
			t.touch()
			return nil
		}
		// Nothing but BEGIN came before it, so a transaction that died with a
		// stale connection can be begun again on another (rule S6's exception).
		// An opaque statement may have committed a part of itself.
		e := t.gate.classify(err)
		died := used && !opaque && e.Kind == dialect.ErrConnectionLost
		if first && repeatable && t.session == nil && (stale(err) || died) && ctx.Err() == nil && stales.another(t.gate) {
			t.drop().discard()
			continue
		}
		t.conn.dirty = t.conn.dirty || session
		if first && e.Kind == dialect.ErrLockNotAvailable && refusedControl(err) && t.conn.wire.Idle() {
			return t.notBegun(ctx, b, st, load, err)
		}
		if !e.NotSent {
			t.mu.Lock()
			t.arrived(load)
			t.wrote = true
			t.mu.Unlock()
		}
		err = t.record(ctx, b, st, err)
		t.touch() // after what is asked about the failure, which is nobody's idleness
		return err
	}
}

// notBegun records that BEGIN itself did not get a lock (SQLite's write lock).
// There is no transaction yet, so only the block that asked has failed; the
// blocks around it may begin one later.
func (t *transaction) notBegun(ctx context.Context, b *block, st Statement, load freight, err error) error {
	e := *t.gate.classify(err)
	e.Fatal = false
	t.mu.Lock()
	t.wait, t.waitBack = load.wait, load.waitBack // set before BEGIN, and still in force
	t.mu.Unlock()
	return t.mark(b, t.gate.failure(ctx, b, st, err), &e)
}

// admit decides whether b may send st now. Nothing is sent and nothing changes
// if it may not.
func (t *transaction) admit(b *block, st Statement) (opaque, session bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(b); err != nil {
		return false, false, err
	}
	if t.rows != nil {
		return false, false, &BlockError{Block: b.info(), Kind: ErrRowsOpen, Reason: "close them, or read them to the end, before " + abbreviate(t.gate.shown(st))}
	}
	if st.Locks && t.root.opts.readOnly {
		return false, false, &BlockError{Block: b.info(), Kind: dialect.ErrReadOnly, Reason: "a locking read needs a block without ReadOnly: " + abbreviate(t.gate.shown(st))}
	}
	if st.Built {
		return false, false, nil
	}
	v := t.gate.db.Engine.Inspect(st.SQL)
	if v.Control != "" {
		return false, false, &BlockError{Block: b.info(), Kind: ErrTransactionControl,
			Reason: v.Control + " would end or change the transaction behind the block's back; use atomic's options, a nested Do or Savepoint, or run it outside the block"}
	}
	if v.Stacked {
		return false, false, &BlockError{Block: b.info(), Kind: dialect.ErrUnsupported, Reason: "one call sends one statement; this text holds several: " + abbreviate(t.gate.shown(st))}
	}
	return v.Opaque, v.Session, nil
}

// usable reports why b cannot go on, or nil. It needs mu.
func (t *transaction) usable(b *block) error {
	switch {
	case b.state == ended && t.expired:
		return &BlockError{Block: b.info(), Kind: ErrBlockClosed, Err: b.cause}
	case b.state == ended:
		return &BlockError{Block: b.info(), Kind: ErrBlockClosed, Reason: "this ctx has outlived its block; pass the ctx of a block that is in progress"}
	case b.state == failed:
		return &BlockError{Block: b.info(), Kind: ErrRollbackRequired, Reason: "nothing was sent, because of the failure before", Err: b.cause}
	case t.top() != b:
		return &BlockError{Block: b.info(), Kind: ErrOuterContext,
			Reason: "use the ctx of " + t.top().info().String() + ", or wait until that block has ended"}
	}
	return nil
}

// record notes the failure of a statement that was sent, or could not be, and
// returns what the caller is told.
func (t *transaction) record(ctx context.Context, b *block, st Statement, err error) error {
	f := t.explain(ctx, b, st, t.gate.failure(ctx, b, st, err))
	return t.mark(b, f, t.gate.classify(err))
}

// mark fails b, and every block with it if the failure was fatal.
func (t *transaction) mark(b *block, f *FailedError, e *dialect.Error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.marked(b, f, e)
}

// marked is mark for who has mu.
func (t *transaction) marked(b *block, f *FailedError, e *dialect.Error) error {
	if b.state == ended {
		return f // a time limit was faster
	}
	if e != nil {
		t.seen = append(t.seen, e)
		if e.Fatal || e.Kind == dialect.ErrConnectionLost || t.conn != nil && !t.conn.wire.Alive() {
			t.lose(f)
			return f
		}
	}
	t.fail(b, f)
	return f
}

// tagged is query with a comment by which the server can tell whose statement
// it is, for engines that have no better place for the block's name.
func (b *block) tagged(query string) string {
	if tagger, ok := b.tx.gate.db.Engine.(backend.Tagger); ok && b.name() != "" {
		return tagger.Tag(b.name()) + query
	}
	return query
}

// hold takes conn into use. It needs the turn.
func (t *transaction) hold(conn *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn = conn
}

// drop takes the connection out of the transaction's hands.
func (t *transaction) drop() *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	conn := t.conn
	t.conn = nil
	return conn
}

func (t *transaction) holdsConnection() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn != nil
}

func (t *transaction) beginOptions() backend.TxOptions {
	o := t.root.opts
	level := o.isolation
	if level == 0 {
		level = t.gate.settings.Isolation
	}
	return backend.TxOptions{
		Isolation: level, ReadOnly: o.readOnly, Deferrable: o.deferrable,
		Name: o.name, Timeout: o.timeout, Idle: o.idle,
	}
}

// touch starts the idle clock again.
func (t *transaction) touch() {
	if limit := t.root.opts.idle; limit > 0 {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.lastActive = time.Now()
		if t.phase == over {
			return
		}
		if t.idle == nil {
			t.idle = time.AfterFunc(limit, t.idleOut)
		} else {
			t.idle.Reset(limit)
		}
	}
}

// answered tells an answer of the server from no answer: only the former
// says that the transaction is not committed.
func (t *transaction) answered(err error) bool {
	if errors.Is(err, backend.ErrCommitRefused) {
		return true
	}
	var p *backend.PrefixError
	if errors.As(err, &p) {
		e := t.gate.classify(p.Err)
		return e.Kind != dialect.ErrConnectionLost && e.Code != ""
	}
	e := t.gate.classify(err)
	return e.NotSent || e.Kind != dialect.ErrConnectionLost && e.Code != ""
}
