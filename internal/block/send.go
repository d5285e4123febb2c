package block

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
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
	t.mu.Lock()
	err := t.usable(b)
	t.mu.Unlock()
	if err != nil {
		return err
	}
	if err := t.connMu.lockWithin(ctx); err != nil {
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
		var f *atomic.FailedError
		var e *dialect.Error
		if failure != nil {
			f = t.explain(ctx, b, st, t.executor.failure(ctx, b, st, failure))
			e = t.executor.classify(failure)
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

// send needs connMu.
func (t *transaction) send(ctx context.Context, b *block, st Statement, send sender) error {
	opaque, session, err := t.admit(b, st)
	if err != nil {
		return err
	}
	var stales stales
	for {
		if ctx.Err() != nil {
			return t.mark(b, t.executor.unsent(ctx, b, st), nil)
		}
		if t.conn == nil {
			if err := t.room(); err != nil {
				return t.mark(b, &atomic.FailedError{Block: b.info(), Statement: t.executor.shown(st), Err: err}, nil)
			}
			conn, err := t.executor.connect(ctx)
			if err != nil && hasEnded(ctx) {
				return t.mark(b, t.executor.unsent(ctx, b, st), nil)
			}
			if err != nil { // only the block that asked has failed: there is no transaction yet
				t.saw(t.executor.classify(err))
				return t.mark(b, t.executor.failure(ctx, b, st, err), nil)
			}
			t.use(conn)
		}
		t.mu.Lock()
		pre, err := t.prefixOf(b, st, opaque)
		first := t.phase == unsent
		t.mu.Unlock()
		if err != nil {
			return t.mark(b, &atomic.FailedError{Block: b.info(), Statement: t.executor.shown(st), Err: err}, nil)
		}
		used := t.conn.wire.Used()
		watched := send
		if b.explains() {
			watched = t.watching(ctx, first, send)
		}
		repeatable, err := watched(t.conn.wire, pre.statements, b.tagged(st.SQL))
		if err == nil {
			t.conn.dirty = t.conn.dirty || session
			t.mu.Lock()
			t.applied(pre)
			t.wrote = t.wrote || !st.reads()
			t.mu.Unlock()
			t.touch()
			return nil
		}
		// Nothing but BEGIN came before it, so a transaction that died with a
		// stale connection can be begun again on another (rule S6's exception).
		// An opaque statement may have committed a part of itself.
		e := t.executor.classify(err)
		died := used && !opaque && e.Kind == dialect.ErrConnectionLost
		if first && repeatable && t.session == nil && (stale(err) || died) && ctx.Err() == nil && stales.another(t.executor) {
			t.drop().discard()
			continue
		}
		t.conn.dirty = t.conn.dirty || session
		if first && e.Kind == dialect.ErrLockNotAvailable && refusedControl(err) && t.conn.wire.Idle() {
			return t.notBegun(ctx, b, st, pre, err)
		}
		if !e.NotSent {
			t.mu.Lock()
			t.applied(pre)
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
func (t *transaction) notBegun(ctx context.Context, b *block, st Statement, pre prefix, err error) error {
	e := *t.executor.classify(err)
	e.Fatal = false
	t.mu.Lock()
	t.wait, t.waitBack = pre.wait, pre.waitBack // set before BEGIN, and still in force
	t.mu.Unlock()
	return t.mark(b, t.executor.failure(ctx, b, st, err), &e)
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
		return false, false, &atomic.BlockError{Block: b.info(), Kind: atomic.ErrRowsOpen, Reason: "close them, or read them to the end, before " + lex.Abbreviate(t.executor.shown(st))}
	}
	if st.Locks && t.root.opts.ReadOnly {
		return false, false, &atomic.BlockError{Block: b.info(), Kind: dialect.ErrReadOnly, Reason: "a locking read needs a block without ReadOnly: " + lex.Abbreviate(t.executor.shown(st))}
	}
	if st.Built {
		return false, false, nil
	}
	v := t.executor.db.Engine.Inspect(st.SQL)
	if v.Control != "" {
		return false, false, &atomic.BlockError{Block: b.info(), Kind: atomic.ErrTransactionControl,
			Reason: v.Control + " would end or change the transaction behind the block's back; use atomic's options, a nested Do or Savepoint, or run it outside the block"}
	}
	if v.Stacked {
		return false, false, &atomic.BlockError{Block: b.info(), Kind: dialect.ErrUnsupported, Reason: "one call sends one statement; this text holds several: " + lex.Abbreviate(t.executor.shown(st))}
	}
	return v.Opaque, v.Session, nil
}

// usable reports why b cannot go on, or nil. It needs mu.
func (t *transaction) usable(b *block) error {
	switch {
	case b.state == ended && t.expired:
		return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrBlockClosed, Err: b.cause}
	case b.state == ended:
		return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrBlockClosed, Reason: "this ctx has outlived its block; pass the ctx of a block that is in progress"}
	case b.state == failed:
		return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrRollbackRequired, Reason: "nothing was sent, because of the failure before", Err: b.cause}
	case t.top() != b:
		return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrOuterContext,
			Reason: "use the ctx of " + t.top().info().String() + ", or wait until that block has ended"}
	}
	return nil
}

// record notes the failure of a statement that was sent, or could not be, and
// returns what the caller is told.
func (t *transaction) record(ctx context.Context, b *block, st Statement, err error) error {
	f := t.explain(ctx, b, st, t.executor.failure(ctx, b, st, err))
	return t.mark(b, f, t.executor.classify(err))
}

// mark fails b, and every block with it if the failure was fatal.
func (t *transaction) mark(b *block, f *atomic.FailedError, e *dialect.Error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.marked(b, f, e)
}

// marked is mark for who has mu.
func (t *transaction) marked(b *block, f *atomic.FailedError, e *dialect.Error) error {
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
	if tagger, ok := b.tx.executor.db.Engine.(backend.Tagger); ok && b.name() != "" {
		return tagger.Tag(b.name()) + query
	}
	return query
}

// use takes conn into use. It needs connMu.
func (t *transaction) use(conn *connection) {
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

func (t *transaction) hasConnection() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn != nil
}

func (t *transaction) beginOptions() backend.TxOptions {
	o := t.root.opts
	level := o.Isolation
	if level == 0 {
		level = t.executor.settings.Isolation
	}
	return backend.TxOptions{
		Isolation: level, ReadOnly: o.ReadOnly, Deferrable: o.Deferrable,
		Name: o.Name, Timeout: o.Timeout, Idle: o.Idle,
	}
}

// touch starts the idle clock again.
func (t *transaction) touch() {
	if limit := t.root.opts.Idle; limit > 0 {
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
		e := t.executor.classify(p.Err)
		return e.Kind != dialect.ErrConnectionLost && e.Code != ""
	}
	e := t.executor.classify(err)
	return e.NotSent || e.Kind != dialect.ErrConnectionLost && e.Code != ""
}
