package block_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// SetAutocommit waits for a statement that is under way, and so does a block.
func TestA02_WhileAStatementIsUnderWay(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		answer := make(chan struct{})
		s.on("INSERT a", reply{until: answer})
		insert := aside(func() error { return s.exec(ctx, "INSERT a") })
		impatient, cancel := context.WithTimeoutCause(ctx, time.Second, errCaller)
		defer cancel()
		err := s.do(impatient, never(t))
		require.ErrorIs(t, err, errCaller)
		require.ErrorContains(t, err, "ctx ended while this waited for a statement under way")
		require.ErrorIs(t, s.exec(impatient, "INSERT b"), errCaller)
		// Whoever waits behind the switch is told of it.
		off := aside(func() error { return session.SetAutocommit(false) })
		block := aside(func() error { return s.do(ctx, never(t)) })
		waits := aside(func() error { return s.exec(ctx, "INSERT b") })
		require.True(t, session.Autocommit())
		close(answer)
		require.NoError(t, errors.Join(insert(), off()))
		for _, late := range []func() error{block, waits} {
			err := late()
			require.ErrorIs(t, err, atomic.ErrOuterContext)
			require.ErrorContains(t, err, "autocommit was switched off while the")
		}
		s.sent("INSERT a")
		require.NoError(t, session.Close())
	})
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		answer := make(chan struct{})
		s.on("INSERT a", reply{until: answer})
		insert := aside(func() error { return s.exec(ctx, "INSERT a") })
		on := aside(func() error { return session.SetAutocommit(true) })
		close(answer)
		require.NoError(t, insert())
		require.ErrorIs(t, on(), atomic.ErrUncommitted, "it came after the first statement")
		require.NoError(t, session.Commit(ctx))
		require.NoError(t, session.Close())
	}, manual)
}

func TestB10_RowsOfASession(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.on("SELECT a", reply{rows: values(1)}, reply{rows: values(1)}, reply{rows: values(1), failure: unique}, refuses(unique))
		rows, err := s.stream(ctx, "SELECT a")
		require.NoError(t, err)
		require.ErrorIs(t, s.exec(ctx, "INSERT b"), atomic.ErrRowsOpen)
		require.ErrorIs(t, s.do(ctx, never(t)), atomic.ErrRowsOpen)
		require.NoError(t, rows.Close())
		s.must(ctx, "INSERT b")
		_, err = s.stream(ctx, "SELECT a") // closed with the session
		require.NoError(t, err)
		require.NoError(t, session.Close())
		require.Zero(t, s.pool.Stats().InUse)

		session, ctx = s.session(t.Context())
		rows, err = s.stream(ctx, "SELECT a")
		require.NoError(t, err)
		require.ErrorIs(t, rows.Close(), dialect.ErrUniqueViolation)
		s.must(ctx, "INSERT c")
		_, err = s.stream(ctx, "SELECT a")
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.NoError(t, session.Close())
	})
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.on("SELECT a", reply{rows: values(1, 2)})
		rows, err := s.stream(ctx, "SELECT a")
		require.NoError(t, err)
		require.ErrorIs(t, session.Close(), atomic.ErrUncommitted)
		_, err = next(rows)
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		require.NotEqual(t, io.EOF, err)
	}, manual)
}

// The connection is gone, and what was set in it: the session does not go on
// with another one.
func TestB13_ASessionLosesItsConnection(t *testing.T) {
	lost := func(t *testing.T, s *script, ctx context.Context) {
		t.Helper()
		s.forget()
		_, err := s.db.SQL().BeginTx(ctx, nil)
		for _, err := range []error{s.exec(ctx, "INSERT c"), s.do(ctx, never(t)), err} {
			require.ErrorIs(t, err, dialect.ErrConnectionLost)
			require.ErrorContains(t, err, "open another session")
		}
		s.sent()
		require.Empty(t, s.connected())
	}
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.must(ctx, "SET a")
		s.on("INSERT b", refuses(gone))
		err := s.exec(ctx, "INSERT b")
		require.ErrorIs(t, err, atomic.ErrOutcomeUnknown)
		lost(t, s, ctx)
		require.ErrorIs(t, s.exec(ctx, "INSERT c"), err)
		require.NoError(t, session.Close())
	})
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.on("INSERT b", refuses(gone))
		require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }), dialect.ErrConnectionLost)
		lost(t, s, ctx)
		require.NoError(t, session.Close())
	})
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.on("SELECT b", reply{rows: values(1), failure: gone})
		rows, err := s.stream(ctx, "SELECT b")
		require.NoError(t, err)
		require.ErrorIs(t, rows.Close(), dialect.ErrConnectionLost)
		lost(t, s, ctx)
		require.NoError(t, session.Close())
	})
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.must(ctx, "INSERT a")
		s.on("COMMIT", refuses(gone))
		require.ErrorIs(t, session.Commit(ctx), atomic.ErrCommitUnknown)
		lost(t, s, ctx)
		require.NoError(t, session.Close())
	}, manual)
	play(t, func(t *testing.T, s *script) {
		s.refuse(unnamed)
		session, ctx := s.session(t.Context())
		require.ErrorIs(t, s.exec(ctx, "INSERT a"), dialect.ErrConnectionLost)
		s.refuse(nil)
		s.must(ctx, "INSERT a") // it had none to lose
		require.NoError(t, session.Close())
	})
}

// A block whose COMMIT had no answer has closed the session's connection, also where it
// was found out what became of it.
func TestS27_TheConnectionIsGoneWithACommitThatWasResolved(t *testing.T) {
	for _, done := range []bool{true, false} {
		play(t, func(t *testing.T, s *script) {
			session, ctx, err := atomic.OpenSession(t.Context(), s.db)
			require.NoError(t, err)
			s.must(ctx, "SET a")
			s.on("WHICH TRANSACTION", reply{says: "7"})
			s.on("COMMIT", refuses(gone))
			s.on("WHAT BECAME OF 7", reply{says: done})
			err = s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.ResolveCommit())
			require.Equal(t, done, err == nil, "%v", err)
			require.ErrorIs(t, s.exec(ctx, "INSERT b"), dialect.ErrConnectionLost, "without what was set")
			s.sent("SET a", "BEGIN; INSERT a", "WHICH TRANSACTION", "NOTE 7; COMMIT", "2: WHAT BECAME OF 7")
			require.NoError(t, session.Close())
		})
	}
}

// Another attempt would run without what was set, such as whose rows it may see: it is not
// made, and the caller is told of both.
func TestS06_RetryInASessionThatHasLostItsConnection(t *testing.T) {
	insert := func(s *script) func(ctx context.Context) error {
		return func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }
	}
	anyLoss := atomic.RetryPolicy{Max: 3, Connection: true}
	for name, c := range map[string]struct {
		arrange func(s *script)
		opts    []atomic.Option
		is      []error
		sent    []string
	}{
		"a statement": {
			func(s *script) { s.on("INSERT a", refuses(gone)) },
			[]atomic.Option{anyLoss}, nil, []string{"BEGIN; INSERT a"},
		},
		"BEGIN": {
			func(s *script) { s.on("BEGIN", refuses(gone)) },
			[]atomic.Option{anyLoss}, nil, []string{"BEGIN; INSERT a"},
		},
		"COMMIT, which is resolved": {
			func(s *script) {
				s.on("WHICH TRANSACTION", reply{says: "7"})
				s.on("COMMIT", refuses(gone))
				s.on("WHAT BECAME OF 7", reply{says: false})
			},
			[]atomic.Option{atomic.Retry(3), atomic.ResolveCommit()}, nil,
			[]string{"BEGIN; INSERT a", "WHICH TRANSACTION", "NOTE 7; COMMIT", "2: WHAT BECAME OF 7"},
		},
		"COMMIT of a block that only reads": {
			func(s *script) { s.on("COMMIT", refuses(gone)) },
			[]atomic.Option{atomic.Retry(3), atomic.ReadOnly()}, nil, []string{"BEGIN READ ONLY; INSERT a", "COMMIT"},
		},
		"the ROLLBACK after a deadlock": {
			func(s *script) {
				s.on("INSERT a", refuses(deadlock))
				s.on("ROLLBACK", refuses(gone))
			},
			[]atomic.Option{atomic.Retry(3)}, []error{dialect.ErrDeadlock}, []string{"BEGIN; INSERT a", "ROLLBACK"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				session, ctx := s.session(t.Context())
				s.must(ctx, "SET a")
				s.forget()
				c.arrange(s)
				err := s.do(ctx, insert(s), c.opts...)
				require.ErrorIs(t, err, dialect.ErrConnectionLost)
				require.ErrorContains(t, err, "open another session")
				for _, kind := range c.is {
					require.ErrorIs(t, err, kind)
				}
				require.NotErrorIs(t, err, atomic.ErrRetriesExhausted)
				s.sent(c.sent...)
				require.NoError(t, session.Close())
			})
		})
	}
	play(t, func(t *testing.T, s *script) { // the connection is there: so is what was set
		session, ctx := s.session(t.Context())
		s.must(ctx, "SET a")
		s.on("INSERT a", refuses(deadlock))
		require.NoError(t, s.do(ctx, insert(s), atomic.Retry(3)))
		s.sent("SET a", "BEGIN; INSERT a", "ROLLBACK", "BEGIN; INSERT a", "COMMIT")
		require.NoError(t, session.Close())
	})
}

// A block that waits while a statement loses the connection does not begin on another.
func TestS06_ABlockThatWaitedForALostConnection(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.must(ctx, "SET a")
		answer := make(chan struct{})
		s.on("INSERT a", reply{until: answer, err: gone})
		statement := aside(func() error { return s.exec(ctx, "INSERT a") })
		block := aside(func() error { return s.do(ctx, never(t)) })
		var tx *sql.Tx
		begins := aside(func() (err error) { tx, err = s.db.SQL().BeginTx(ctx, nil); return err })
		close(answer)
		require.ErrorIs(t, statement(), atomic.ErrOutcomeUnknown)
		require.ErrorIs(t, block(), dialect.ErrConnectionLost)
		require.ErrorIs(t, begins(), dialect.ErrConnectionLost)
		require.Nil(t, tx)
		s.sent("SET a", "INSERT a")
		require.NoError(t, session.Close())
	})
}

// Close has nothing to roll back of what a Commit under way commits.
func TestA03_CloseWhileACommitIsUnderWay(t *testing.T) {
	for _, refused := range []error{nil, conflict} {
		play(t, func(t *testing.T, s *script) {
			session, ctx := s.session(t.Context())
			require.NoError(t, session.SetAutocommit(false))
			s.must(ctx, "INSERT a")
			answer := make(chan struct{})
			s.on("COMMIT", reply{until: answer, err: refused})
			commit := aside(func() error { return session.Commit(ctx) })
			closes := aside(session.Close)
			close(answer)
			require.Equal(t, refused == nil, commit() == nil)
			require.NoError(t, closes())
			require.ErrorIs(t, s.exec(ctx, "INSERT b"), atomic.ErrSessionClosed)
		})
	}
}
