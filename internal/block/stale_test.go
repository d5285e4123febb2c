package block_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// A connection that the server has closed is found out before anything is sent,
// and another one is tried: as often as the pool can have stale ones.
func TestS06_StaleConnections(t *testing.T) {
	crowd := func(t *testing.T, s *script, n int) {
		crowd(t.Context(), s, n)
		s.age()
	}
	for name, send := range map[string]func(ctx context.Context, s *script) error{
		"exec":  func(ctx context.Context, s *script) error { return s.exec(ctx, "INSERT a") },
		"query": func(ctx context.Context, s *script) error { _, err := s.all(ctx, "INSERT a"); return err },
		"stream": func(ctx context.Context, s *script) error {
			rows, err := s.stream(ctx, "INSERT a")
			if err != nil {
				return err
			}
			return rows.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				crowd(t, s, 3)
				require.NoError(t, send(t.Context(), s))
				s.sent("4: INSERT a")
				require.Equal(t, []int{4}, s.connected())
			})
			play(t, func(t *testing.T, s *script) {
				crowd(t, s, 3)
				require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
					require.NoError(t, send(ctx, s))
					return nil
				}))
				s.sent("4: BEGIN; INSERT a", "4: COMMIT")
			})
		})
	}
	// A server that closes each at once is not tried for ever.
	play(t, func(t *testing.T, s *script) {
		crowd(t, s, 3)
		s.on("INSERT a", refuses(notSent))
		err := s.exec(t.Context(), "INSERT a") // three stale ones of the pool, and a fourth
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		require.NotErrorIs(t, err, atomic.ErrOutcomeUnknown)
		var e *dialect.Error
		require.ErrorAs(t, err, &e)
		require.True(t, e.NotSent)
		s.sent("4: INSERT a")
	})
}

// With BEGIN in front, a transaction that died with a connection of the pool can
// be begun again: nothing of it was committed.
func TestS06_TheFirstStatementOfABlockIsSentAgain(t *testing.T) {
	fresh := "2: "
	for name, c := range map[string]struct {
		used    bool
		text    string
		reply   reply
		within  func(ctx context.Context, s *script) error
		resends bool
	}{
		"on a connection that was used": {true, "INSERT a", refuses(gone), nil, true},
		"when BEGIN is lost":            {true, "BEGIN", refuses(gone), nil, true},
		"not on a new one":              {false, "INSERT a", refuses(gone), nil, false},
		"not after an answer":           {true, "INSERT a", reply{err: deadlock, over: true}, nil, false},
		"not what may commit":           {true, "CALL a", refuses(gone), func(ctx context.Context, s *script) error { return s.exec(ctx, "CALL a") }, false},
		"not a later statement": {true, "INSERT b", refuses(gone), func(ctx context.Context, s *script) error {
			s.must(ctx, "INSERT a")
			s.forget()
			return s.exec(ctx, "INSERT b")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				if c.used {
					s.must(t.Context(), "INSERT first")
				}
				s.forget()
				s.on(c.text, c.reply)
				if c.within == nil {
					c.within = func(ctx context.Context, s *script) error { return s.exec(ctx, "INSERT a") }
				}
				err := s.do(t.Context(), func(ctx context.Context) error { return c.within(ctx, s) })
				if c.resends {
					require.NoError(t, err)
					s.sent("BEGIN; INSERT a", fresh+"BEGIN; INSERT a", fresh+"COMMIT")
					return
				}
				require.ErrorIs(t, err, c.reply.err)
				require.Len(t, s.arrived, map[bool]int{true: 2, false: 1}[c.reply.err == error(deadlock)], "%v", s.arrived)
			})
		})
	}
	// Not either when ctx has ended meanwhile.
	play(t, func(t *testing.T, s *script) {
		s.must(t.Context(), "INSERT first")
		s.forget()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCaller)
		defer cancel()
		s.on("INSERT a", reply{silent: true, patient: true, err: gone})
		err := s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") })
		require.ErrorIs(t, err, errCaller)
		require.ErrorAs(t, err, new(*dialect.Error), "it was sent")
		s.sent("BEGIN; INSERT a")
	})
	// What was found stale before anything was sent may be anything.
	play(t, func(t *testing.T, s *script) {
		s.must(t.Context(), "INSERT first")
		s.age()
		s.forget()
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "CALL a") }))
		s.sent(fresh+"BEGIN; SAVEPOINT hf_guard; CALL a", fresh+"RELEASE SAVEPOINT hf_guard; COMMIT")
	})
	// A session has none before its first statement, and neither has a transaction of
	// database/sql, which is in one that nobody sees.
	for name, send := range map[string]func(ctx context.Context, s *script) error{
		"a session": func(ctx context.Context, s *script) error {
			session, ctx, err := atomic.OpenSession(ctx, s.db)
			return errors.Join(err, s.exec(ctx, "INSERT a"), session.Close())
		},
		"a session that streams": func(ctx context.Context, s *script) error {
			session, ctx, err := atomic.OpenSession(ctx, s.db)
			require.NoError(t, err)
			rows, err := s.stream(ctx, "INSERT a")
			require.NoError(t, err)
			return errors.Join(rows.Close(), session.Close())
		},
		"a block in a session": func(ctx context.Context, s *script) error {
			session, ctx, err := atomic.OpenSession(ctx, s.db)
			return errors.Join(err, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }), session.Close())
		},
		"autocommit off": func(ctx context.Context, s *script) error {
			session, ctx, err := atomic.OpenSession(ctx, s.db)
			return errors.Join(err, session.SetAutocommit(false), s.exec(ctx, "INSERT a"), session.Commit(ctx), session.Close())
		},
		"a transaction of database/sql": func(ctx context.Context, s *script) error {
			tx, err := s.db.SQL().BeginTx(ctx, nil)
			require.NoError(t, err)
			_, err = tx.ExecContext(ctx, "INSERT a")
			return errors.Join(err, tx.Commit())
		},
		"a transaction on a *sql.Conn": func(ctx context.Context, s *script) error {
			c, err := s.db.SQL().Conn(ctx)
			require.NoError(t, err)
			tx, err := c.BeginTx(ctx, nil)
			require.NoError(t, err)
			_, err = tx.ExecContext(ctx, "INSERT a")
			return errors.Join(err, tx.Commit(), c.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.must(t.Context(), "INSERT first")
				s.age()
				s.forget()
				require.NoError(t, send(t.Context(), s))
				require.Contains(t, [][]string{{fresh + "INSERT a"}, {fresh + "BEGIN; INSERT a", fresh + "COMMIT"}}, s.arrived)
			})
		})
	}
	// Afterwards the connection is the session's.
	play(t, func(t *testing.T, s *script) {
		session, ctx, err := atomic.OpenSession(t.Context(), s.db)
		require.NoError(t, err)
		s.must(ctx, "SET a")
		s.on("INSERT a", refuses(gone))
		require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }), dialect.ErrConnectionLost)
		s.sent("SET a", "BEGIN; INSERT a")
		require.NoError(t, session.Close())
	})
	for name, use := range map[string]func(ctx context.Context, s *script) error{
		"a statement": func(ctx context.Context, s *script) error { return s.exec(ctx, "INSERT a") },
		"a block": func(ctx context.Context, s *script) error {
			return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") })
		},
	} {
		t.Run("further on in a session, "+name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				session, ctx, err := atomic.OpenSession(t.Context(), s.db)
				require.NoError(t, err)
				s.must(ctx, "SET a")
				s.age()
				require.ErrorIs(t, use(ctx, s), dialect.ErrConnectionLost)
				require.ErrorIs(t, s.exec(ctx, "INSERT b"), dialect.ErrConnectionLost)
				s.sent("SET a")
				require.NoError(t, session.Close())
			})
		})
	}
}

func TestS06_NoConnectionCanBeOpened(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.refuse(&serverError{code: "1045"})
		for name, err := range map[string]error{
			"outside": s.exec(t.Context(), "INSERT a"),
			"block":   s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }),
			"stream":  func() error { _, err := s.stream(t.Context(), "INSERT a"); return err }(),
			"waits":   func() error { _, err := s.db.LockWaits(t.Context()); return err }(),
		} {
			require.ErrorIs(t, err, dialect.ErrConnectionLost, name)
			require.NotErrorIs(t, err, atomic.ErrOutcomeUnknown, name)
			require.ErrorContains(t, err, "no connection could be opened: server says 1045", name)
			var e *dialect.Error
			require.ErrorAs(t, err, &e, name)
			require.True(t, e.NotSent, name)
			require.Equal(t, "1045", e.Code)
			var cause *serverError
			require.ErrorAs(t, err, &cause, name)
		}
		// Only the block that asked has failed: there is no transaction yet.
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.Error(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }))
			s.refuse(nil)
			return s.exec(ctx, "INSERT b")
		}))
		s.sent("BEGIN; INSERT b", "COMMIT")
		// Under Retry with Connection it is another attempt.
		s.refuse(unnamed)
		other, err := s.pool.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			if atomic.Attempt(ctx, s.db) == 2 {
				s.refuse(nil)
			}
			return s.exec(ctx, "INSERT c")
		}, atomic.RetryPolicy{Max: 1, Connection: true}))
		require.NoError(t, other.Close())
	}, setup{engine: watching})
}
