package block_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

func TestS06_OutsideABlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.must(t.Context(), "INSERT a")
		s.on("INSERT b", refuses(unique))
		err := s.exec(t.Context(), "INSERT b")
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.NotErrorIs(t, err, atomic.ErrOutcomeUnknown)
		var failed *atomic.FailedError
		require.ErrorAs(t, err, &failed)
		require.Zero(t, failed.Block)
		require.ErrorIs(t, s.lock(t.Context(), "SELECT a", 0), atomic.ErrNotInBlock)
		s.sent("INSERT a", "INSERT b")
		require.Equal(t, []int{1}, s.connected())
	})
}

// Sent and no answer: nobody knows, unless it only reads.
func TestS06_TheReplyIsLost(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT a", refuses(gone))
		err := s.exec(t.Context(), "INSERT a")
		require.ErrorIs(t, err, atomic.ErrOutcomeUnknown)
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		require.NotErrorIs(t, err, driver.ErrBadConn)
		s.sent("INSERT a")
		require.Empty(t, s.connected())

		s.on("SELECT a", refuses(gone), refuses(gone))
		_, err = s.all(t.Context(), "SELECT a")
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		require.NotErrorIs(t, err, atomic.ErrOutcomeUnknown)
		s.on("UPDATE a", refuses(gone))
		_, err = s.all(t.Context(), "UPDATE a")
		require.ErrorIs(t, err, atomic.ErrOutcomeUnknown)
		require.ErrorIs(t, s.exec(t.Context(), "SELECT a"), atomic.ErrOutcomeUnknown, "a caller's own may call a function that writes")

		s.on("INSERT c", reply{silent: true})
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCaller)
		defer cancel()
		err = s.exec(ctx, "INSERT c")
		require.ErrorIs(t, err, errCaller)
		require.Empty(t, s.connected())
	})
}

// A connection that the server has closed is found out before anything is sent,
// and another one is tried: as often as the pool can have stale ones.
func TestS06_StaleConnections(t *testing.T) {
	crowd := func(t *testing.T, s *script, n int) {
		s.pool.SetMaxIdleConns(n)
		var release []func() error
		for range n {
			c, err := s.pool.Conn(t.Context())
			require.NoError(t, err)
			require.NoError(t, c.Raw(func(c any) error { c.(*conn).used = true; return nil }))
			release = append(release, c.Close)
		}
		for _, f := range release {
			require.NoError(t, f())
		}
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
		s.on("INSERT a", refuses(&backend.NotSentError{Closed: true, Err: unnamed}))
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
		s.on("INSERT a", reply{silent: true})
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
	// In a session the connection is the session's.
	play(t, func(t *testing.T, s *script) {
		session, ctx, err := atomic.OpenSession(t.Context(), s.db)
		require.NoError(t, err)
		s.must(ctx, "SET a")
		s.on("INSERT a", refuses(gone))
		require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }), dialect.ErrConnectionLost)
		s.sent("SET a", "BEGIN; INSERT a")
		require.NoError(t, session.Close())
	})
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

// No connection within ctx: that is what the caller is told.
func TestB11_CancelledWhileConnecting(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for name, send := range map[string]func(ctx context.Context) error{
			"outside": func(ctx context.Context) error { return s.exec(ctx, "INSERT a") },
			"block": func(ctx context.Context) error {
				return s.do(t.Context(), func(inner context.Context) error { return s.exec(within(inner, ctx), "INSERT a") })
			},
			"session": func(ctx context.Context) error {
				session, inner, err := atomic.OpenSession(ctx, s.db)
				require.NoError(t, err)
				return errors.Join(s.exec(inner, "INSERT a"), session.Close())
			},
		} {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCaller)
			s.on("(connect)", reply{until: make(chan struct{})})
			err := send(ctx)
			require.ErrorIs(t, err, errCaller, name)
			require.NotErrorIs(t, err, dialect.ErrConnectionLost, name)
			var failed *atomic.FailedError
			require.ErrorAs(t, err, &failed, name)
			require.Equal(t, "INSERT a", failed.Statement)
			cancel()
			// The connection comes in spite of that: it is kept, and nothing is sent.
			ctx, cancel = context.WithTimeoutCause(t.Context(), time.Second, errCaller)
			s.on("(connect)", after(2*time.Second, reply{patient: true}))
			require.ErrorIs(t, send(ctx), errCaller, name)
			require.Zero(t, s.pool.Stats().InUse)
			cancel()
			s.pool.SetMaxIdleConns(0)
			s.pool.SetMaxIdleConns(2)
		}
		s.sent()
	})
}

// within is ctx that ends with another one.
func within(ctx, end context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	context.AfterFunc(end, func() { cancel(context.Cause(end)) })
	return ctx
}

// A ctx of somebody's own that has a deadline and does not say that it is over.
func TestB11_ADeadlineThatPassesUnnoticed(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT a", refuses(gone))
		start := time.Now()
		err := s.exec(lateContext{t.Context(), start}, "INSERT a")
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		require.InDelta(t, 10*time.Millisecond, time.Since(start), float64(10*time.Millisecond))
		require.Greater(t, time.Since(start), 5*time.Millisecond, "it is given a moment")
		s.on("INSERT a", refuses(gone))
		start = time.Now()
		require.Error(t, s.exec(lateContext{t.Context(), start.Add(time.Hour)}, "INSERT a"))
		require.Zero(t, time.Since(start))
	})
}

type lateContext struct {
	context.Context
	deadline time.Time
}

func (c lateContext) Deadline() (time.Time, bool) { return c.deadline, true }

func TestB13_OutsideAConnectionIsClean(t *testing.T) {
	for text, kept := range map[string]bool{"INSERT a": true, "SET a": false, "CALL a": false, "CREATE TABLE a": false} {
		for name, send := range map[string]func(s *script) error{
			"exec": func(s *script) error { return s.exec(s.t.Context(), text) },
			"refused": func(s *script) error {
				s.on(text, refuses(unique))
				_ = s.exec(s.t.Context(), text)
				return nil
			},
			"stream": func(s *script) error {
				rows, err := s.stream(s.t.Context(), text)
				return errors.Join(err, rows.Close())
			},
		} {
			t.Run(text+" "+name, func(t *testing.T) {
				play(t, func(t *testing.T, s *script) {
					require.NoError(t, send(s))
					require.Equal(t, kept, len(s.connected()) == 1)
				})
			})
		}
	}
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, s.exec(t.Context(), "SET a", make(chan int)), errUnbindable)
		require.Equal(t, []int{1}, s.connected(), "it was not sent")
		_, err := s.db.Exec(t.Context(), block.Statement{SQL: "CREATE TABLE a", Built: true})
		require.NoError(t, err)
		require.Equal(t, []int{1}, s.connected(), "the library knows what it does")
	})
}

func TestS06_AStreamOutsideABlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1)}, reply{rows: values(1), failure: unique}, reply{rows: values(1), failure: gone})
		rows, err := s.stream(t.Context(), "SELECT a")
		require.NoError(t, err)
		require.Equal(t, 1, s.pool.Stats().InUse)
		_, err = next(rows)
		require.NoError(t, err)
		_, err = next(rows)
		require.Equal(t, io.EOF, err)
		require.Zero(t, s.pool.Stats().InUse, "the end of the rows frees the connection")
		require.NoError(t, rows.Close())
		for _, want := range []error{dialect.ErrUniqueViolation, atomic.ErrOutcomeUnknown} {
			rows, err = s.stream(t.Context(), "SELECT a")
			require.NoError(t, err)
			require.ErrorIs(t, rows.Close(), want)
			_, err = next(rows)
			require.ErrorIs(t, err, want)
		}
		s.on("SELECT a", refuses(unique))
		_, err = s.stream(t.Context(), "SELECT a")
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
	})
}

func TestA02_WithoutASession(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, s.exec(t.Context(), "INSERT a"), atomic.ErrNoSession)
		_, err := s.stream(t.Context(), "SELECT a")
		require.ErrorIs(t, err, atomic.ErrNoSession)
		require.ErrorIs(t, s.lock(t.Context(), "SELECT a", 0), atomic.ErrNotInBlock)
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }))
		s.sent("BEGIN; INSERT a", "COMMIT")
	}, setup{settings: block.Settings{ManualCommit: true}})
}
