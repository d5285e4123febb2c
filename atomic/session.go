package atomic

import (
	"context"
	"database/sql/driver"
	"sync"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// A Session pins one connection to a ctx: its statements run there, one after
// the other. With autocommit off (rule A2) they run in a transaction that its
// first statement opens, and nothing is kept without Commit. With autocommit on
// each commits by itself. Blocks opened in a session with autocommit off are
// nested in its transaction, and the commit is left to it (rule A4).
//
// A Session is closed by its Close. Its ctx carries it to statements.
type Session struct {
	gate *Gate
	ctx  context.Context // of the caller; hooks run with it
	site site

	// turn is held by whoever uses the connection outside a transaction.
	turn turn

	mu     sync.Mutex
	manual bool
	closed bool
	conn   *connection // while no transaction has it
	tx     *transaction
	rows   *streamRows
	lost   error // why the connection is gone
}

// OpenSession opens a session of db: with autocommit as the database's setting
// says. The ctx that it returns carries the session. Inside a block it returns
// ErrInBlock. Nothing is sent, and no connection taken, before the first
// statement.
func OpenSession(ctx context.Context, db DB) (*Session, context.Context, error) {
	g := db.Gate()
	sc := g.scope(ctx)
	if sc.block != nil || sc.session != nil {
		return nil, nil, &BlockError{Kind: ErrInBlock, Reason: "a session cannot be opened inside a block or another session"}
	}
	s := &Session{gate: g, ctx: ctx, site: here(), turn: newTurn(), manual: g.settings.ManualCommit}
	return s, g.with(ctx, &scope{session: s, outer: sc.outer}), nil
}

// Commit makes the session's work permanent and ends its transaction; the next
// statement opens another. If a statement has failed since the last commit
// everything is rolled back and Commit returns ErrRollbackRequired. Errors are
// those of Do. Inside a block, and with autocommit on, it is refused with
// ErrInBlock and ErrOption.
func (s *Session) Commit(ctx context.Context) error { return s.end(ctx, "Commit", nil) }

// Rollback undoes the session's work since its last commit.
func (s *Session) Rollback(ctx context.Context) error { return s.end(ctx, "Rollback", Rollback) }

func (s *Session) end(ctx context.Context, what string, how error) error {
	s.mu.Lock()
	t := s.tx
	switch {
	case s.closed:
		s.mu.Unlock()
		return &BlockError{Kind: ErrSessionClosed}
	case !s.manual:
		s.mu.Unlock()
		if t != nil {
			return &BlockError{Kind: ErrInBlock, Reason: what + " on a session inside a block; the block ends itself"}
		}
		return &BlockError{Kind: ErrOption, Reason: what + " on a session with autocommit on: there is nothing to end"}
	case t == nil:
		s.mu.Unlock()
		return nil
	}
	if err := t.onlyRoot(what); err != nil {
		s.mu.Unlock()
		return err
	}
	s.mu.Unlock()
	_, err := t.root.end(ctx, how)
	return err
}

// onlyRoot refuses what a session may not do while a block is in progress.
func (t *transaction) onlyRoot(what string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.stack) > 1 {
		return &BlockError{Block: t.top().info(), Kind: ErrInBlock, Reason: what + " on a session inside a block; the block ends itself"}
	}
	return nil
}

// SetAutocommit switches autocommit for the rest of the session. Inside a block
// it is refused with ErrInBlock, and switching it on with uncommitted work with
// ErrUncommitted: commit or roll back first.
func (s *Session) SetAutocommit(on bool) error {
	// Not while a statement is under way, by itself or as the first of a transaction.
	s.turn <- struct{}{}
	defer s.turn.give()
	s.mu.Lock()
	t := s.tx
	s.mu.Unlock()
	if t != nil {
		t.turn <- struct{}{}
		defer t.turn.give()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return &BlockError{Kind: ErrSessionClosed}
	case s.tx != nil && !s.manual:
		return &BlockError{Kind: ErrInBlock, Reason: "SetAutocommit on a session inside a block"}
	case s.tx != nil:
		if err := s.tx.onlyRoot("SetAutocommit"); err != nil {
			return err
		}
		if on && s.tx.begun() {
			return &BlockError{Kind: ErrUncommitted, Reason: "commit or roll back before switching autocommit on"}
		}
		if on {
			t := s.tx
			s.conn, s.tx = t.drop(), nil // nothing was sent in it
			t.mu.Lock()
			t.finish()
			t.mu.Unlock()
		}
	}
	s.manual = !on
	return nil
}

// Autocommit reports whether each statement of the session commits by itself.
func (s *Session) Autocommit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.manual
}

// Close ends the session and gives its connection back. Work that was not
// committed is rolled back, and Close returns ErrUncommitted if there was any:
// a transaction in which only rows were read does not count (rule A3).
func (s *Session) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	t, rows := s.tx, s.rows
	if t != nil {
		if err := t.onlyRoot("Close"); err != nil || !s.manual {
			s.mu.Unlock()
			return &BlockError{Kind: ErrInBlock, Reason: "Close on a session inside a block; close it after the block"}
		}
	}
	s.closed = true
	s.mu.Unlock()
	if rows != nil {
		_ = rows.Close()
	}

	var result error
	if t != nil {
		t.mu.Lock()
		wrote := t.wrote
		t.mu.Unlock()
		if _, err := t.root.end(context.WithoutCancel(s.ctx), Rollback); err != nil {
			result = err
		}
		if wrote {
			result = &BlockError{Kind: ErrUncommitted, Reason: "the session was closed without Commit; its work since the last one is rolled back", Err: result}
		}
	}
	s.turn <- struct{}{}
	defer s.turn.give()
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
func (s *Session) root() (*block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, &BlockError{Kind: ErrSessionClosed, Reason: "this ctx has outlived its session"}
	case s.lost != nil:
		return nil, &BlockError{Kind: dialect.ErrConnectionLost, Reason: "the session's connection is gone, and its settings with it; open another session", Err: s.lost}
	case !s.manual:
		return nil, nil
	case s.tx == nil:
		b := &block{opts: &options{name: "session"}, site: s.site, ctx: s.ctx}
		t := newTransaction(s.gate, &scope{session: s}, b)
		t.conn, s.conn = s.conn, nil
		s.tx = t
	}
	return s.tx.root, nil
}

// current is where a statement with the session's own ctx belongs.
func (s *Session) current(st Statement) (*block, error) {
	b, err := s.root()
	if b != nil || err != nil {
		return b, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tx != nil {
		top := s.tx.root.info()
		return nil, &BlockError{Block: top, Kind: ErrOuterContext, Reason: "use the ctx of the block, not the session's"}
	}
	if err := s.gate.steers(st); err != nil {
		return nil, err
	}
	if st.Locks {
		return nil, &BlockError{Kind: ErrNotInBlock, Reason: "autocommit is on, so the lock would be gone at once; run it inside atomic.Do"}
	}
	if s.rows != nil {
		return nil, &BlockError{Kind: ErrRowsOpen, Reason: "close them, or read them to the end, before " + abbreviate(st.SQL)}
	}
	return nil, nil
}

// lend hands the session's connection to a block opened with autocommit on.
// It waits for a statement of the session that is under way.
func (s *Session) lend(ctx context.Context, t *transaction) error {
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.give()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return &BlockError{Kind: ErrSessionClosed}
	case s.manual:
		return &BlockError{Kind: ErrOuterContext, Reason: "autocommit was switched off while the block waited for its turn"}
	case s.tx != nil:
		return &BlockError{Block: s.tx.root.info(), Kind: ErrOuterContext, Reason: "another block of this session is in progress; use its ctx"}
	case s.rows != nil:
		return &BlockError{Kind: ErrRowsOpen, Reason: "rows of this session are still being read"}
	}
	s.tx = t
	t.conn, s.conn = s.conn, nil
	return nil
}

// takeBack is called when a transaction of the session has ended.
func (s *Session) takeBack(t *transaction, conn *connection) {
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
		s.lost = &BlockError{Reason: "its last transaction left the connection in an unknown state"}
		return
	}
	s.conn = conn
}

func (s *Session) holdsConnection() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil || s.tx != nil && s.tx.holdsConnection()
}

// run sends a statement that commits by itself.
func (s *Session) run(ctx context.Context, st Statement, send sender) error {
	if err := s.turn.take(ctx); err != nil {
		return s.gate.unsent(ctx, nil, st)
	}
	defer s.turn.give()
	// What held when the statement came may have changed while it waited.
	if b, err := s.current(st); err != nil {
		return err
	} else if b != nil {
		return &BlockError{Block: b.info(), Kind: ErrOuterContext, Reason: "autocommit was switched off while the statement waited for its turn"}
	}
	conn, err := s.pin(ctx, st)
	if err != nil {
		return err
	}
	if _, err = send(conn.wire, nil, st.SQL); err != nil {
		conn.markSession(s.gate, st)
		return s.failed(ctx, st, err)
	}
	conn.markSession(s.gate, st)
	return nil
}

func (s *Session) stream(ctx context.Context, st Statement) (driver.Rows, error) {
	var stream *streamRows
	err := s.run(ctx, st, func(w backend.Wire, _ []string, query string) (bool, error) {
		rows, err := w.Query(ctx, nil, query, st.Args)
		if err == nil {
			stream = s.streamOf(ctx, st, rows) // still with the turn
		}
		return false, err
	})
	if err != nil {
		return nil, err
	}
	return stream, nil
}

func (s *Session) streamOf(ctx context.Context, st Statement, rows driver.Rows) *streamRows {
	stream := newStream(rows, nil)
	stream.done = func(failure error) error {
		s.mu.Lock()
		s.rows = nil
		s.mu.Unlock()
		if failure != nil {
			return s.failed(ctx, st, failure)
		}
		return nil
	}
	s.mu.Lock()
	s.rows = stream
	s.mu.Unlock()
	return stream
}

// pin takes the session's connection out of the pool at its first statement.
// It needs the turn.
func (s *Session) pin(ctx context.Context, st Statement) (*connection, error) {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	conn, err := s.gate.connect(ctx)
	if err != nil && hasEnded(ctx) {
		return nil, s.gate.unsent(ctx, nil, st)
	}
	if err != nil {
		return nil, s.gate.failure(ctx, nil, st, err)
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	return conn, nil
}

func (s *Session) failed(ctx context.Context, st Statement, err error) error {
	err = s.gate.outcome(ctx, st, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && !s.conn.wire.Alive() {
		s.conn.discard()
		s.conn, s.lost = nil, err
	}
	return err
}

func (t *transaction) begun() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase != unsent
}
