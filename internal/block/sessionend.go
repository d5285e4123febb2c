package block

import (
	"context"

	"github.com/holdfast-go/holdfast/atomic"
)

// sessionEnd is the end of one of a session's transactions. Who comes meanwhile with
// a Commit of his own is told what became of the work, which is his too.
type sessionEnd struct {
	tx   *transaction
	done chan struct{}
	err  error // when done is closed
}

// Commit implements seam.Session, as do the methods below it.
func (s *session) Commit(ctx context.Context) error { return s.end(ctx, "Commit", nil) }

// Rollback undoes the work since the last commit.
func (s *session) Rollback(ctx context.Context) error { return s.end(ctx, "Rollback", atomic.Rollback) }

// readsHere reports whether who asks is a Scanner that reads rows of the session,
// for whose end it would wait.
func (s *session) readsHere() bool {
	s.mu.Lock()
	t := s.tx
	s.mu.Unlock()
	return s.connMu.readsHere() || t != nil && t.connMu.readsHere()
}

func (s *session) end(ctx context.Context, what string, how error) error {
	if s.readsHere() {
		return rowsOf(errOwnRows)
	}
	s.goOn(ctx)
	s.mu.Lock()
	t := s.tx
	switch {
	case s.closed:
		s.mu.Unlock()
		return &atomic.BlockError{Kind: atomic.ErrSessionClosed}
	case !s.manual:
		s.mu.Unlock()
		if t != nil {
			return &atomic.BlockError{Kind: atomic.ErrInBlock, Reason: what + " on a session inside a block; the block ends itself"}
		}
		return &atomic.BlockError{Kind: atomic.ErrOption, Reason: what + " on a session with autocommit on: there is nothing to end"}
	case t == nil:
		s.mu.Unlock()
		return nil
	}
	if err := t.onlyRoot(what); err != nil {
		s.mu.Unlock()
		return err
	}
	if under := s.ending; under != nil && under.tx == t {
		s.mu.Unlock()
		return under.wait(ctx, how)
	}
	under := &sessionEnd{tx: t, done: make(chan struct{})}
	s.ending = under
	s.mu.Unlock()
	ended, err := t.conclude(ctx, t.byHand(ctx, how))
	under.err = err
	s.mu.Lock()
	s.ending = nil
	s.mu.Unlock()
	close(under.done)
	return t.runHooksAfter(ended, err)
}

// wait is the end of a transaction for who comes second.
func (e *sessionEnd) wait(ctx context.Context, how error) error {
	select {
	case <-e.done:
	case <-ctx.Done():
		return &atomic.BlockError{Reason: "ctx ended while another call ended the session's transaction; what became of it is what that returns", Err: causeOf(ctx)}
	}
	if how == nil {
		return e.err
	}
	return nil // there is nothing left to roll back
}

// onlyRoot refuses what a session may not do while a block is in progress.
func (t *transaction) onlyRoot(what string) error {
	if inner := t.state.Nested(); inner != nil {
		return &atomic.BlockError{Block: inner.Info(), Kind: atomic.ErrInBlock, Reason: what + " on a session inside a block; the block ends itself"}
	}
	return nil
}
