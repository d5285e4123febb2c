package block_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

var manual = setup{settings: block.Settings{ManualCommit: true}}

func (s *script) session(ctx context.Context) (*atomic.Session, context.Context) {
	s.t.Helper()
	session, inner, err := atomic.OpenSession(ctx, s.db)
	require.NoError(s.t, err)
	return session, inner
}

func TestA02_NothingIsKeptWithoutCommit(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		require.False(t, session.Autocommit())
		require.NoError(t, session.Commit(ctx), "of nothing")
		require.NoError(t, session.Rollback(ctx))
		require.Empty(t, s.connected())
		var d diary
		d.keep(ctx, t, s, "1")
		s.must(ctx, "INSERT a", "INSERT b")
		s.sent("BEGIN; INSERT a", "INSERT b")
		require.NoError(t, session.Commit(ctx))
		s.sent("COMMIT")
		d.keep(ctx, t, s, "2")
		s.must(ctx, "INSERT c")
		require.NoError(t, session.Rollback(ctx))
		s.sent("BEGIN; INSERT c", "ROLLBACK")
		require.Equal(t, diary{"+1", "-2"}, d)
		require.Zero(t, s.pool.Stats().InUse, "it is clean, and the hooks may need it")
		s.must(ctx, "INSERT e")
		require.NoError(t, session.Commit(ctx))
		require.Equal(t, 1, s.pool.Stats().InUse, "the connection is pinned")
		require.NoError(t, session.Close())
		require.Zero(t, s.pool.Stats().InUse)
		for range 2 {
			require.NoError(t, session.Close(), "again")
		}
		require.ErrorIs(t, s.exec(ctx, "INSERT d"), atomic.ErrSessionClosed)
	}, manual)
}

func TestA02_AFailureBeforeTheCommit(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.on("INSERT b", refuses(unique))
		s.must(ctx, "INSERT a")
		require.ErrorIs(t, s.exec(ctx, "INSERT b"), dialect.ErrUniqueViolation)
		require.ErrorIs(t, s.exec(ctx, "INSERT c"), atomic.ErrRollbackRequired)
		err := session.Commit(ctx)
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.ErrorContains(t, err, `block "session"`)
		s.must(ctx, "INSERT d")
		require.NoError(t, session.Commit(ctx))
		s.sent("BEGIN; INSERT a", "INSERT b", "ROLLBACK", "BEGIN; INSERT d", "COMMIT")
		require.NoError(t, session.Close())
	}, manual)
}

func TestA03_CloseWithUncommittedWork(t *testing.T) {
	for name, c := range map[string]struct {
		texts []string // the library's own begin with a blank
		is    error
		sent  []string
	}{
		"written":            {[]string{"INSERT a"}, atomic.ErrUncommitted, []string{"BEGIN; INSERT a", "ROLLBACK"}},
		"written by us":      {[]string{" UPDATE a"}, atomic.ErrUncommitted, []string{"BEGIN; UPDATE a", "ROLLBACK"}},
		"perhaps":            {[]string{"SELECT a"}, atomic.ErrUncommitted, []string{"BEGIN; SELECT a", "ROLLBACK"}},
		"only read":          {[]string{" SELECT a"}, nil, []string{"BEGIN; SELECT a", "ROLLBACK"}},
		"read, then written": {[]string{" SELECT a", "INSERT b"}, atomic.ErrUncommitted, []string{"BEGIN; SELECT a", "INSERT b", "ROLLBACK"}},
		"written, then read": {[]string{"INSERT b", " SELECT a"}, atomic.ErrUncommitted, []string{"BEGIN; INSERT b", "SELECT a", "ROLLBACK"}},
		"nothing":            {nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				outer, cancel := context.WithCancel(t.Context())
				session, ctx := s.session(outer)
				for _, text := range c.texts {
					own := strings.HasPrefix(text, " ")
					_, err := s.db.Exec(ctx, block.Statement{SQL: strings.TrimSpace(text), Built: own})
					require.NoError(t, err)
				}
				cancel() // cleaning up does not need it
				err := session.Close()
				if c.is == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, c.is)
				}
				s.sent(c.sent...)
				require.ErrorIs(t, s.exec(ctx, "INSERT b"), atomic.ErrSessionClosed)
				require.ErrorIs(t, session.Commit(ctx), atomic.ErrSessionClosed)
				require.ErrorIs(t, session.Rollback(ctx), atomic.ErrSessionClosed)
				require.ErrorIs(t, session.SetAutocommit(true), atomic.ErrSessionClosed)
				require.ErrorIs(t, s.do(ctx, never(t)), atomic.ErrSessionClosed)
				require.ErrorIs(t, atomic.OnCommit(ctx, s.db, never(t)), atomic.ErrSessionClosed)
				_, err = atomic.Savepoint(ctx, s.db)
				require.ErrorIs(t, err, atomic.ErrSessionClosed)
				require.ErrorIs(t, atomic.AdvisoryLock(ctx, s.db, "a"), atomic.ErrSessionClosed)
			}, manual)
		})
	}
	// The error of a hook is told as well.
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.must(ctx, "INSERT a")
		require.NoError(t, atomic.OnRollback(ctx, s.db, func(context.Context) error { return errCaller }))
		err := session.Close()
		require.ErrorIs(t, err, atomic.ErrUncommitted)
		require.ErrorIs(t, err, errCaller)
	}, manual)
}

func TestA04_ABlockInASession(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		require.NoError(t, s.do(ctx, func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") })
		}))
		require.ErrorIs(t, s.do(ctx, never(t), atomic.Durable()), atomic.ErrDurable)
		require.ErrorIs(t, s.do(ctx, never(t), atomic.ReadOnly()), atomic.ErrOption)
		require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error { s.must(ctx, "INSERT c"); return errAsked }), errAsked)
		require.NoError(t, session.Commit(ctx))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT a", "SAVEPOINT hf_2; INSERT b", "RELEASE SAVEPOINT hf_1; SAVEPOINT hf_1; INSERT c", "ROLLBACK TO SAVEPOINT hf_1; COMMIT")
		require.NoError(t, session.Close())
	}, manual)
}

func TestA05_RefusedInsideABlock(t *testing.T) {
	for _, autocommit := range []bool{true, false} {
		play(t, func(t *testing.T, s *script) {
			session, outer := s.session(t.Context())
			require.NoError(t, session.SetAutocommit(autocommit))
			require.NoError(t, s.do(outer, func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				for _, err := range []error{session.Commit(ctx), session.Rollback(ctx), session.SetAutocommit(!autocommit), session.Close()} {
					require.ErrorIs(t, err, atomic.ErrInBlock)
				}
				require.ErrorIs(t, s.exec(outer, "INSERT b"), atomic.ErrOuterContext)
				_, _, err := atomic.OpenSession(ctx, s.db)
				require.ErrorIs(t, err, atomic.ErrInBlock)
				return nil
			}))
			_, _, err := atomic.OpenSession(outer, s.db)
			require.ErrorIs(t, err, atomic.ErrInBlock, "in another session")
			if !autocommit {
				require.NoError(t, session.Commit(outer))
			}
			require.NoError(t, session.Close())
		})
	}
}

func TestA01_AutocommitIsOn(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		require.True(t, session.Autocommit())
		s.must(ctx, "SET a", "INSERT b")
		require.ErrorIs(t, session.Commit(ctx), atomic.ErrOption)
		require.ErrorIs(t, session.Rollback(ctx), atomic.ErrOption)
		require.ErrorIs(t, s.exec(ctx, "COMMIT"), atomic.ErrTransactionControl)
		require.ErrorIs(t, s.lock(ctx, "SELECT a", 0), atomic.ErrNotInBlock)
		s.on("INSERT c", refuses(unique))
		require.ErrorIs(t, s.exec(ctx, "INSERT c"), dialect.ErrUniqueViolation)
		s.must(ctx, "INSERT d") // a failure marks nothing
		s.must(t.Context(), "INSERT e")
		s.sent("SET a", "INSERT b", "INSERT c", "INSERT d", "2: INSERT e")
		require.NoError(t, session.Close())
		require.Equal(t, []int{2}, s.connected(), "whose session was changed is not for others")
		session, ctx = s.session(t.Context())
		s.on("SET b", refuses(unique))
		require.Error(t, s.exec(ctx, "SET b"))
		require.NoError(t, session.Close())
		require.Empty(t, s.connected(), "it may have failed half-way")
	})
}

// A block borrows the connection of a session with autocommit on, and gives it back.
func TestA01_ABlockBorrowsTheConnection(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		require.NoError(t, s.do(ctx, func(context.Context) error { return nil }), "which takes none")
		require.Empty(t, s.connected())
		require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }))
		require.Equal(t, 1, s.pool.Stats().InUse)
		s.must(ctx, "SET b")
		require.NoError(t, s.do(ctx, func(inner context.Context) error {
			s.must(inner, "INSERT c")
			require.ErrorIs(t, s.exec(ctx, "INSERT d"), atomic.ErrOuterContext)
			require.ErrorIs(t, s.do(ctx, never(t)), atomic.ErrOuterContext)
			return nil
		}, atomic.Durable(), atomic.Retry(1)))
		s.must(ctx, "INSERT d")
		s.sent("BEGIN; INSERT a", "COMMIT", "SET b", "BEGIN; INSERT c", "COMMIT", "INSERT d")
		require.NoError(t, session.Close())
	})
}

func TestA02_SetAutocommit(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.must(ctx, "INSERT a")
		require.NoError(t, session.SetAutocommit(false))
		require.False(t, session.Autocommit())
		require.NoError(t, session.SetAutocommit(false))
		s.must(ctx, "INSERT b")
		require.NoError(t, session.SetAutocommit(false), "it is off already")
		require.ErrorIs(t, session.SetAutocommit(true), atomic.ErrUncommitted)
		require.NoError(t, session.Commit(ctx))
		p := s.savepoint(ctx) // a transaction in which nothing was sent
		require.NoError(t, session.SetAutocommit(true))
		require.True(t, session.Autocommit())
		require.ErrorIs(t, p.Rollback(ctx), atomic.ErrBlockClosed)
		s.must(ctx, "INSERT c")
		s.sent("INSERT a", "BEGIN; INSERT b", "COMMIT", "INSERT c")
		require.NoError(t, session.Close())
		require.Equal(t, []int{1}, s.connected())
	})
}

// A hook may need the session's connection on a full pool, so it goes back before
// hooks run; not one whose state the session has changed, which is the session's.
func TestB16_AHookAndTheConnectionOfASession(t *testing.T) {
	for name, c := range map[string]struct {
		first string
		sent  []string
	}{
		"like any other": {"INSERT a", []string{"BEGIN; INSERT a", "COMMIT", "BEGIN; INSERT hook", "COMMIT", "BEGIN; INSERT b", "ROLLBACK"}},
		"changed":        {"SET a", []string{"BEGIN; SET a", "COMMIT", "2: BEGIN; INSERT hook", "2: COMMIT", "BEGIN; INSERT b", "ROLLBACK"}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				session, ctx := s.session(t.Context())
				s.must(ctx, c.first)
				require.NoError(t, atomic.OnCommit(ctx, s.db, func(context.Context) error {
					return s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT hook") })
				}))
				require.NoError(t, session.Commit(ctx))
				s.must(ctx, "INSERT b")
				require.NoError(t, session.Rollback(ctx))
				require.NoError(t, session.Close())
				s.sent(c.sent...)
			}, manual)
		})
	}
}
