package block_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
)

func TestB19_TimeoutWhileFnIsElsewhere(t *testing.T) {
	for name, result := range map[string]error{"fn returns nil": nil, "fn returns an error": errAsked} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				var d diary
				err := s.do(t.Context(), func(ctx context.Context) error {
					d.keep(ctx, t, s, "1")
					s.must(ctx, "INSERT a")
					s.forget()
					pass(time.Minute - 1)
					s.sent()
					require.False(t, atomic.NeedsRollback(ctx, s.db))
					pass(2)
					s.sent("ROLLBACK; RESET TIMEOUT")
					require.Zero(t, s.pool.Stats().InUse, "the connection is given back")
					require.False(t, atomic.In(ctx, s.db))
					require.Empty(t, d, "its hooks wait for its end")
					err := s.exec(ctx, "INSERT b")
					require.ErrorIs(t, err, atomic.ErrBlockClosed)
					require.ErrorIs(t, err, atomic.ErrTimeout)
					return result
				}, atomic.Timeout(time.Minute))
				require.ErrorIs(t, err, atomic.ErrTimeout)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, result != nil, errors.Is(err, errAsked))
				require.Equal(t, result == nil, errors.Is(err, atomic.ErrBlockClosed))
				require.Equal(t, diary{"-1"}, d)
				s.sent()
			})
		})
	}
}

// A nested block is in progress: both have ended, and the connection is free.
func TestB19_TimeoutInANestedBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var d diary
		err := s.do(t.Context(), func(outer context.Context) error {
			s.must(outer, "INSERT a")
			d.keep(outer, t, s, "1")
			err := s.do(outer, func(ctx context.Context) error {
				d.keep(ctx, t, s, "2")
				s.must(ctx, "INSERT b")
				pass(2 * time.Second)
				require.ErrorIs(t, s.exec(ctx, "INSERT c"), atomic.ErrBlockClosed)
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			require.ErrorIs(t, err, atomic.ErrTimeout)
			require.ErrorContains(t, err, "depth 2")
			return nil
		}, atomic.Timeout(time.Second))
		require.ErrorIs(t, err, atomic.ErrTimeout)
		require.Equal(t, diary{"-1", "-2"}, d)
		s.sent("BEGIN; SET TIMEOUT 1s; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK; RESET TIMEOUT")
	})
}

func TestB19_TimeoutWhileAStatementRuns(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("UPDATE a", reply{silent: true})
		start := time.Now()
		err := s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "UPDATE a") }, atomic.Timeout(time.Second))
		require.ErrorIs(t, err, atomic.ErrTimeout)
		require.ErrorContains(t, err, "UPDATE a")
		require.Equal(t, time.Second, time.Since(start))
		require.Empty(t, s.connected())
	})
}

// A nested block's own limit ends that block alone.
func TestB19_TimeoutOfANestedBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "INSERT b")
				pass(2 * time.Second)
				require.ErrorIs(t, s.exec(ctx, "INSERT c"), atomic.ErrTimeout)
				return nil
			}, atomic.Timeout(time.Second)), atomic.ErrTimeout)
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			return s.exec(ctx, "INSERT d")
		}))
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT d", "COMMIT")
	})
}

// ctx of a block with a limit ends with it, and that of one without ends nothing
// before fn has returned.
func TestB19_TheCtxOfABlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var outer, inner context.Context
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			outer = ctx
			require.NoError(t, s.do(ctx, func(ctx context.Context) error { inner = ctx; return nil }, atomic.Timeout(time.Second)))
			require.Error(t, inner.Err())
			return ctx.Err()
		}, atomic.Timeout(time.Minute)))
		require.Error(t, outer.Err())
		ctx, cancel := context.WithCancelCause(t.Context())
		require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			cancel(errCaller)
			settle()
			require.True(t, atomic.In(ctx, s.db))
			return nil
		}), errCaller)
	})
}

// A savepoint of a block that a limit has ended.
func TestB24_AfterTheTimeIsOver(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var p *atomic.Point
		var ended context.Context
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			p, ended = s.savepoint(ctx), context.WithoutCancel(ctx)
			pass(2 * time.Second)
			require.ErrorIs(t, p.Rollback(ended), atomic.ErrBlockClosed)
			return nil
		}, atomic.Timeout(time.Second)), atomic.ErrTimeout)
		require.ErrorIs(t, p.Rollback(ended), atomic.ErrBlockClosed)
	})
}

// The watch ends with the block.
func TestB19_ABlockThatIsFaster(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.Timeout(time.Second), atomic.IdleTimeout(time.Second)))
		pass(time.Minute)
		s.sent("BEGIN; SET TIMEOUT 1s; SET IDLE 1s; INSERT a", "RESET TIMEOUT; RESET IDLE; COMMIT")
	})
}

// An empty block that ran too long is no success either.
func TestB19_TimeoutOfAnEmptyBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, s.do(t.Context(), func(context.Context) error { pass(time.Minute); return nil }, atomic.Timeout(time.Second)), atomic.ErrTimeout)
		s.sent()
	})
}

func TestB19_IdleTimeout(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var d diary
		err := s.do(t.Context(), func(ctx context.Context) error {
			d.keep(ctx, t, s, "1")
			pass(time.Hour) // the clock starts with the first statement
			s.must(ctx, "INSERT a")
			pass(900 * time.Millisecond)
			s.must(ctx, "INSERT b") // which starts it again
			pass(900 * time.Millisecond)
			require.True(t, atomic.In(ctx, s.db))
			s.forget()
			pass(200 * time.Millisecond)
			s.sent("ROLLBACK; RESET IDLE")
			require.Zero(t, s.pool.Stats().InUse)
			err := s.exec(ctx, "INSERT c")
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			require.ErrorIs(t, err, atomic.ErrIdleTimeout)
			return nil
		}, atomic.IdleTimeout(time.Second))
		require.ErrorIs(t, err, atomic.ErrIdleTimeout)
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		require.Equal(t, diary{"-1"}, d)
		pass(time.Hour)
		s.sent()
	})
}

// A statement that runs longer than the limit is not idle.
func TestB19_AStatementIsNotIdle(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			pass(time.Millisecond)
			answer := make(chan struct{})
			time.AfterFunc(time.Minute, func() { close(answer) })
			s.on("UPDATE a", reply{until: answer})
			s.must(ctx, "UPDATE a")
			pass(900 * time.Millisecond)
			s.must(ctx, "INSERT b")
			return nil
		}, atomic.IdleTimeout(time.Second)))
		s.sent("BEGIN; SET IDLE 1s; INSERT a", "UPDATE a", "INSERT b", "RESET IDLE; COMMIT")
	})
}

// A failed statement starts the clock again too, and so does the end of rows.
func TestB19_WhatStartsTheIdleClock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT b", refuses(unique))
		s.on("SELECT c", reply{rows: values(1)})
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			pass(900 * time.Millisecond)
			_ = s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") })
			pass(900 * time.Millisecond)
			rows, err := s.stream(ctx, "SELECT c")
			require.NoError(t, err)
			pass(900 * time.Millisecond)
			require.NoError(t, rows.Close())
			pass(900 * time.Millisecond)
			require.True(t, atomic.In(ctx, s.db))
			return nil
		}, atomic.IdleTimeout(time.Second)))
	})
}

// Rows that are still being read are closed under their reader, who is told why.
func TestB19_RowsWhenTheTimeIsOver(t *testing.T) {
	for name, option := range map[string]atomic.Option{"timeout": atomic.Timeout(time.Second), "idle": atomic.IdleTimeout(time.Second)} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("SELECT a", reply{rows: values(1, 2)})
				_ = s.do(t.Context(), func(ctx context.Context) error {
					rows, err := s.stream(ctx, "SELECT a")
					require.NoError(t, err)
					_, err = next(rows)
					require.NoError(t, err)
					pass(2 * time.Second)
					_, err = next(rows)
					require.ErrorIs(t, err, atomic.ErrBlockClosed)
					require.True(t, errors.Is(err, atomic.ErrTimeout) || errors.Is(err, atomic.ErrIdleTimeout))
					require.Zero(t, s.pool.Stats().InUse)
					return nil
				}, option)
			})
		})
	}
}

// ROLLBACK that gets no answer is given up, and the connection with it.
func TestB11_CleanupHasALimit(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		ctx, cancel := context.WithCancel(t.Context())
		s.on("ROLLBACK", reply{silent: true})
		start := time.Now()
		require.Equal(t, errAsked, s.do(ctx, func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return errAsked
		}))
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Empty(t, s.connected())
		s.on("BEGIN", refuses(locked))
		s.on("RESET WAIT", reply{silent: true})
		start = time.Now()
		_ = s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.LockTimeout(time.Second))
		require.Equal(t, 5*time.Second, time.Since(start))
		cancel()
	}, setup{spelling: before})
}

// A session keeps its connection, and no limit of a block whose COMMIT was never sent, or did
// not come to what puts them back.
func TestB23_ASessionWhoseBlockCannotBeCommitted(t *testing.T) {
	const back = "RESET WAIT; RESET TIMEOUT"
	for name, c := range map[string]struct {
		fails string // in the session's block
		reply reply
		fn    []string
		sent  []string // after the block's statements
	}{
		"it cannot be marked":      {"WHICH TRANSACTION", refuses(unique), nil, []string{"WHICH TRANSACTION", "ROLLBACK; " + back}},
		"COMMIT is refused":        {"COMMIT", refuses(unique), nil, []string{"WHICH TRANSACTION", back + "; NOTE 7; COMMIT", "ROLLBACK; " + back}},
		"a savepoint is gone":      {"RELEASE SAVEPOINT hf_guard", refuses(unique), []string{"CALL b"}, []string{"WHICH TRANSACTION", "RELEASE SAVEPOINT hf_guard; " + back + "; NOTE 7; COMMIT", guardHolds, "ROLLBACK; " + back}},
		"and the transaction, too": {"RELEASE SAVEPOINT hf_guard", reply{err: unique, over: true}, []string{"CALL b"}, []string{"WHICH TRANSACTION", "RELEASE SAVEPOINT hf_guard; " + back + "; NOTE 7; COMMIT", back}},
		"it was committed by a CALL": {"RELEASE SAVEPOINT hf_guard", reply{err: &backend.EndedError{Err: unique}, over: true}, []string{"CALL b"},
			[]string{"WHICH TRANSACTION", "RELEASE SAVEPOINT hf_guard; " + back + "; NOTE 7; COMMIT", "ROLLBACK; " + back}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				session, ctx := s.session(t.Context())
				s.must(ctx, "SET a")
				if c.fails != "WHICH TRANSACTION" {
					s.on("WHICH TRANSACTION", reply{says: "7"})
				}
				s.on(c.fails, c.reply)
				require.Error(t, s.do(ctx, func(ctx context.Context) error {
					s.must(ctx, "INSERT a")
					s.must(ctx, c.fn...)
					s.forget()
					return nil
				}, atomic.LockTimeout(time.Second), atomic.Timeout(time.Minute), atomic.ResolveCommit()))
				s.sent(c.sent...)
				s.must(ctx, "INSERT b")
				s.sent("INSERT b")
				require.NoError(t, session.Close())
				require.Empty(t, s.connected(), "what a statement has set is nobody else's")
			})
		})
	}
}
