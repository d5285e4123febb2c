package block

import (
	"context"
	"sync"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block/state"
	"github.com/holdfast-go/holdfast/internal/lex"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// A session pins one connection to a ctx. With autocommit off its statements run
// in a transaction, whose outermost block is the session's own; with autocommit
// on each runs by itself, and a block opened in it borrows the connection.
type session struct {
	executor *Executor
	ctx      context.Context // of the caller; hooks run with it
	outer    *scope          // set aside by Suspended
	site     seam.Site

	// connMu is held by whoever uses the connection outside a transaction.
	connMu mutex
	hidden bool // of a *sql.Conn, or a script

	mu     sync.Mutex
	manual bool
	closed bool
	conn   *connection // while no transaction has it
	tx     *transaction
	rows   *streamRows
	lost   error       // why the connection is gone
	ending *sessionEnd // a Commit or Rollback under way
}

// OpenSession implements seam.Executor.
func (x *Executor) OpenSession(ctx context.Context, from seam.Site) (seam.Session, context.Context, error) {
	sc := x.scope(ctx)
	if sc.block != nil || sc.session != nil {
		return nil, nil, &atomic.BlockError{Kind: atomic.ErrInBlock, Reason: "a session cannot be opened inside a block or another session"}
	}
	if _, err := sc.enclosing(); err != nil {
		return nil, nil, err
	}
	s := &session{executor: x, ctx: ctx, outer: sc.outer, site: from, connMu: newMutex(), manual: x.settings.ManualCommit}
	return s, x.with(ctx, &scope{session: s, outer: sc.outer}), nil
}

// SetAutocommit waits for a statement that is under way.
func (s *session) SetAutocommit(on bool) error {
	if s.readsHere() {
		return rowsOf(errOwnRows)
	}
	s.goOn(s.ctx)
	// Not while a statement is under way, by itself or as the first of a transaction.
	s.connMu.lock()
	defer s.connMu.unlock()
	s.mu.Lock()
	t := s.tx
	s.mu.Unlock()
	if t != nil {
		t.connMu.lock()
		defer t.connMu.unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return &atomic.BlockError{Kind: atomic.ErrSessionClosed}
	case s.rows != nil && !on:
		return &atomic.BlockError{Kind: atomic.ErrRowsOpen, Reason: "close them, or read them to the end, before autocommit is switched off"}
	case s.tx != nil && !s.manual:
		return &atomic.BlockError{Kind: atomic.ErrInBlock, Reason: "SetAutocommit on a session inside a block"}
	case s.tx != nil:
		if err := s.tx.onlyRoot("SetAutocommit"); err != nil {
			return err
		}
		if on && s.tx.state.Phase() != state.Unsent {
			return &atomic.BlockError{Kind: atomic.ErrUncommitted, Reason: "commit or roll back before switching autocommit on"}
		}
		if on && s.tx.state.HooksWait() {
			return &atomic.BlockError{Kind: atomic.ErrUncommitted, Reason: "hooks wait for the end of the session's transaction; commit or roll back before switching autocommit on"}
		}
		if on {
			t := s.tx
			s.conn, s.tx = t.drop(), nil // nothing was sent in it
			t.state.Forget()
		}
	}
	s.manual = !on
	return nil
}

// Autocommit reports whether each statement of the session commits by itself.
func (s *session) Autocommit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.manual
}

// Close rolls back what was not committed (rule A3).
func (s *session) Close() error {
	if s.readsHere() {
		return rowsOf(errOwnRows)
	}
	s.goOn(s.ctx)
	s.mu.Lock()
	for s.ending != nil { // what it commits is not uncommitted
		under := s.ending
		s.mu.Unlock()
		<-under.done
		s.mu.Lock()
	}
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	t, rows := s.tx, s.rows
	if t != nil {
		if err := t.onlyRoot("Close"); err != nil || !s.manual {
			s.mu.Unlock()
			return &atomic.BlockError{Kind: atomic.ErrInBlock, Reason: "Close on a session inside a block; close it after the block"}
		}
	}
	s.closed = true
	s.mu.Unlock()
	if rows != nil {
		_ = rows.Close()
	}

	var result error
	if t != nil {
		wrote := t.mayHaveWritten()
		if _, err := t.end(context.WithoutCancel(s.ctx), state.Return{Err: atomic.Rollback}); err != nil {
			result = err
		}
		if wrote {
			result = &atomic.BlockError{Kind: atomic.ErrUncommitted, Reason: "the session was closed without Commit; its work since the last one is rolled back", Err: result}
		}
	}
	s.connMu.lock()
	defer s.connMu.unlock()
	s.mu.Lock()
	conn := s.conn
	s.conn = nil
	s.mu.Unlock()
	if conn != nil {
		conn.giveBack()
	}
	return result
}

// root is the block that the session's transaction consists of, or nil with
// autocommit on.
func (s *session) root() (*block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, &atomic.BlockError{Kind: atomic.ErrSessionClosed, Reason: "this ctx has outlived its session"}
	case s.lost != nil:
		return nil, s.isLost()
	case !s.manual && s.tx != nil:
		return nil, &atomic.BlockError{Block: s.tx.root.Info(), Kind: atomic.ErrOuterContext, Reason: "use the ctx of the block, not the session's"}
	case !s.manual:
		return nil, nil
	case s.tx == nil:
		// Its hooks run outside the session, which may still hold its connection.
		hooks := s.executor.with(s.ctx, &scope{outer: &scope{session: s, outer: s.outer}})
		t := newTransaction(hooks, s.executor, &scope{session: s, outer: s.outer}, s.executor.settings.Block.OfSession("session"), s.site)
		t.take(s)
		s.tx = t
	}
	return s.tx.root, nil
}

// isLost says that the session cannot go on: on another connection nothing is set as it was.
func (s *session) isLost() error {
	return &atomic.BlockError{Kind: dialect.ErrConnectionLost, Reason: "the session's connection is gone, and its settings with it; open another session", Err: s.lost}
}

// goOn is that of the session's own block, or of a session that has lent its connection
// to a transaction of db.SQL().
func (s *session) goOn(ctx context.Context) {
	s.mu.Lock()
	t, own := s.tx, s.manual
	s.mu.Unlock()
	switch {
	case t == nil:
	case own:
		t.root.goOn(ctx)
	case t.root.Over() != nil && !t.connMu.readsHere():
		_, _ = t.end(ctx, state.Return{Err: atomic.Rollback})
	}
}

// current is where a statement with the session's own ctx belongs.
func (s *session) current(st Statement) (*block, error) {
	b, err := s.root()
	if b != nil || err != nil {
		return b, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.executor.steers(st); err != nil {
		return nil, err
	}
	if st.Locks {
		return nil, &atomic.BlockError{Kind: atomic.ErrNotInBlock, Reason: "autocommit is on, so the lock would be gone at once; run it inside atomic.Do"}
	}
	if s.rows != nil {
		return nil, &atomic.BlockError{Kind: atomic.ErrRowsOpen, Reason: "close them, or read them to the end, before " + lex.Abbreviate(st.SQL)}
	}
	return nil, nil
}

// lend hands the session's connection to a block opened with autocommit on.
// It waits for a statement of the session that is under way.
func (s *session) lend(ctx context.Context, t *transaction) error {
	if err := s.connMu.lockWithin(ctx); err != nil {
		return rowsOf(err)
	}
	defer s.connMu.unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return &atomic.BlockError{Kind: atomic.ErrSessionClosed}
	case s.lost != nil: // by an attempt before, or while this one waited
		return s.isLost()
	case s.manual:
		return &atomic.BlockError{Kind: atomic.ErrOuterContext, Reason: "autocommit was switched off while the block waited"}
	case s.tx != nil:
		return &atomic.BlockError{Block: s.tx.root.Info(), Kind: atomic.ErrOuterContext, Reason: "another block of this session is in progress; use its ctx"}
	case s.rows != nil:
		return &atomic.BlockError{Kind: atomic.ErrRowsOpen, Reason: "rows of this session are still being read"}
	}
	s.tx = t
	t.take(s)
	return nil
}

// take has t use the connection of s, if that has one. It needs s.mu. Blocks around it
// know t already, and look whether it has a connection.
func (t *transaction) take(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn, s.conn = s.conn, nil
	t.lent = t.conn != nil
}

// takeBack is called when a transaction of the session has ended.
func (s *session) takeBack(t *transaction, conn *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tx == t {
		s.tx = nil
	}
	if conn == nil {
		return
	}
	if !conn.wire.Idle() {
		conn.discard()
		s.lost = &atomic.BlockError{Reason: "its last transaction left the connection in an unknown state"}
		return
	}
	if (s.manual || s.hidden) && !conn.dirty && t.state.Hooked() {
		// The hooks may need a connection, and it is like any other.
		conn.giveBack()
		return
	}
	s.conn = conn
}

func (s *session) hasConnection() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil || s.tx != nil && s.tx.hasConnection()
}
