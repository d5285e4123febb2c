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
