package block

import (
	"context"
	"database/sql/driver"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// run sends a statement that commits by itself.
func (s *session) run(ctx context.Context, st Statement, send sender) error {
	if err := s.connMu.lockWithin(ctx); err == errOwnRows {
		return &atomic.BlockError{Kind: atomic.ErrRowsOpen, Reason: "a Scanner or a Valuer of the statement under way sends " + lex.Abbreviate(s.executor.shown(st))}
	} else if err != nil {
		return s.executor.unsent(ctx, nil, st)
	}
	defer s.connMu.unlock()
	send = s.connMu.whileBinding(st, send)
	// What held when the statement came may have changed while it waited.
	if b, err := s.current(st); err != nil {
		return err
	} else if b != nil {
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrOuterContext, Reason: "autocommit was switched off while the statement waited"}
	}
	var (
		conn   *connection
		read   func() error
		err    error
		stales stales
	)
	for {
		var first bool
		if conn, first, err = s.pin(ctx, st); err != nil {
			return err
		}
		read, err = send(conn.wire, s.executor.tell(ctx, conn.wire, st), st.SQL)
		if !first || !stale(err) || ctx.Err() != nil || !stales.another(s.executor.db.Pool) {
			break
		}
		s.unpin() // nothing was sent on it, by nobody: another will do
	}
	conn.markSession(s.executor, st)
	if err == nil && read != nil {
		err = s.connMu.whileReading(read)
	}
	if err != nil {
		return s.failed(ctx, st, err)
	}
	if !s.reading() {
		s.executor.told(ctx, conn, st)
	}
	return nil
}

// reading reports whether rows are still to be read.
func (s *session) reading() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows != nil
}

func (s *session) stream(ctx context.Context, st Statement) (driver.Rows, error) {
	var stream *streamRows
	err := s.run(ctx, st, func(w backend.Wire, prefix []string, query string) (func() error, error) {
		rows, err := w.Query(ctx, prefix, query, st.Args)
		if err == nil {
			stream = s.streamOf(ctx, st, rows) // still with connMu
		}
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	return stream, nil
}

func (s *session) streamOf(ctx context.Context, st Statement, rows driver.Rows) *streamRows {
	stream := s.executor.newStream(rows, nil, nil)
	stream.done = func(failure error) error {
		s.mu.Lock()
		s.rows = nil
		conn := s.conn
		s.mu.Unlock()
		if failure != nil {
			return s.failed(ctx, st, failure)
		}
		if conn != nil {
			s.executor.told(ctx, conn, st)
		}
		return nil
	}
	s.mu.Lock()
	s.rows = stream
	s.mu.Unlock()
	return stream
}

// pin takes the session's connection out of the pool at its first statement.
// It needs connMu.
func (s *session) pin(ctx context.Context, st Statement) (_ *connection, first bool, _ error) {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn != nil {
		return conn, false, nil
	}
	release, err := s.outer.roomFor(s.executor)
	if err != nil {
		return nil, false, err
	}
	defer release()
	conn, err = s.executor.connect(ctx)
	if err != nil && hasEnded(ctx) {
		return nil, false, s.executor.unsent(ctx, nil, st)
	}
	if err != nil {
		return nil, false, s.executor.failure(ctx, nil, st, err)
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	return conn, true, nil
}

// unpin is for a connection that was found closed. It needs connMu.
func (s *session) unpin() {
	s.mu.Lock()
	conn := s.conn
	s.conn = nil
	s.mu.Unlock()
	conn.discard()
}

// lose is for a connection that a block of the session has closed.
func (s *session) lose(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = why
}

func (s *session) failed(ctx context.Context, st Statement, err error) error {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn != nil {
		s.executor.toldInPart(ctx, conn, st, err)
	}
	err = s.executor.outcome(ctx, st, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && !s.conn.wire.Alive() {
		s.conn.discard()
		s.conn, s.lost = nil, err
	}
	return err
}
