package block_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

func TestB09_ACtxThatOutlivesItsBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var outer, inner context.Context
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			outer = ctx
			require.True(t, atomic.In(ctx, s.db))
			require.NoError(t, s.do(ctx, func(ctx context.Context) error {
				inner = ctx
				require.True(t, atomic.In(ctx, s.db))
				return s.exec(ctx, "INSERT a")
			}))
			require.False(t, atomic.In(inner, s.db))
			err := s.exec(inner, "INSERT b")
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			require.ErrorContains(t, err, "this ctx has outlived its block")
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			return nil
		}))
		s.forget()
		for _, ctx := range []context.Context{outer, inner} {
			require.False(t, atomic.In(ctx, s.db))
			for _, err := range []error{
				s.exec(ctx, "INSERT b"),
				atomic.OnCommit(ctx, s.db, never(t)),
				atomic.OnRollback(ctx, s.db, never(t)),
				atomic.SetRollback(ctx, s.db, true),
				atomic.AdvisoryLock(ctx, s.db, "name"),
				func() error { _, err := atomic.Savepoint(ctx, s.db); return err }(),
				func() error { _, err := s.stream(ctx, "SELECT b"); return err }(),
				func() error { _, err := s.db.SQL().BeginTx(ctx, nil); return err }(),
			} {
				require.ErrorIs(t, err, atomic.ErrBlockClosed)
			}
			_, _, err := atomic.OpenSession(ctx, s.db)
			require.ErrorIs(t, err, atomic.ErrInBlock)
		}
		s.sent()
		require.False(t, atomic.In(t.Context(), s.db))
		require.False(t, atomic.NeedsRollback(t.Context(), s.db))
		require.Zero(t, atomic.Attempt(t.Context(), s.db))
		require.Equal(t, 1, atomic.Attempt(outer, s.db))
		require.ErrorIs(t, atomic.SetRollback(t.Context(), s.db, true), atomic.ErrNotInBlock)
	}, setup{engine: locking})
}

func TestB10_TheOuterCtxWhileANestedBlockIsOpen(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(outer context.Context) error {
			require.NoError(t, s.do(outer, func(ctx context.Context) error {
				err := s.exec(outer, "INSERT a")
				require.ErrorIs(t, err, atomic.ErrOuterContext)
				require.ErrorContains(t, err, `use the ctx of block "inner"`)
				require.ErrorIs(t, s.do(outer, never(t)), atomic.ErrOuterContext)
				_, err = atomic.Savepoint(outer, s.db)
				require.ErrorIs(t, err, atomic.ErrOuterContext)
				return s.exec(ctx, "INSERT b")
			}, atomic.Name("inner")))
			require.False(t, atomic.NeedsRollback(outer, s.db), "misuse marks nothing")
			return s.exec(outer, "INSERT c")
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT b", "RELEASE SAVEPOINT hf_1; INSERT c", "COMMIT")
	})
}

// Statements of several goroutines go one after the other.
func TestB10_StatementsAreSerialised(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			answer := make(chan struct{})
			s.on("INSERT a", reply{until: answer})
			first := aside(func() error { return s.exec(ctx, "INSERT a") })
			second := aside(func() error { return s.exec(ctx, "INSERT b") })
			s.sent("BEGIN; INSERT a")
			close(answer)
			require.NoError(t, errors.Join(first(), second()))
			s.sent("INSERT b")
			return nil
		}))
	})
}

// One that gives up while it waits for its turn was not sent, and marks the block.
func TestB11_CancelledWhileAnotherStatementRuns(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		err := s.do(t.Context(), func(ctx context.Context) error {
			answer := make(chan struct{})
			s.on("INSERT a", reply{until: answer})
			first := aside(func() error { return s.exec(ctx, "INSERT a") })
			impatient, cancel := context.WithTimeoutCause(ctx, time.Second, errCaller)
			defer cancel()
			err := s.exec(impatient, "INSERT b")
			require.ErrorIs(t, err, errCaller)
			require.ErrorContains(t, err, "INSERT b")
			// What is refused in any case need not wait.
			require.ErrorIs(t, s.exec(ctx, "INSERT c"), atomic.ErrRollbackRequired)
			close(answer)
			return first()
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		s.sent("BEGIN; INSERT a", "ROLLBACK")
	})
}

// A statement that fails leaves nothing to those that have waited for it.
func TestB06_WhoeverHasWaitedIsRefused(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			s.on("INSERT a", after(time.Second, refuses(unique)))
			first := aside(func() error { return s.exec(ctx, "INSERT a") })
			second := aside(func() error { return s.exec(ctx, "INSERT b") })
			require.ErrorIs(t, first(), dialect.ErrUniqueViolation)
			require.ErrorIs(t, second(), atomic.ErrRollbackRequired)
			return nil
		}), atomic.ErrRollbackRequired)
		s.sent("BEGIN; INSERT a", "ROLLBACK")
	})
}

// The end of the block waits for a statement that another goroutine has sent.
func TestB10_TheEndWaitsForAStatement(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		answer := make(chan struct{})
		s.on("INSERT b", reply{until: answer})
		late := make(chan func() error, 1)
		done := aside(func() error {
			return s.do(t.Context(), func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				late <- aside(func() error { return s.exec(ctx, "INSERT b") })
				return nil
			})
		})
		pass(time.Second)
		s.sent("BEGIN; INSERT a", "INSERT b")
		close(answer)
		require.NoError(t, errors.Join((<-late)(), done()))
		s.sent("COMMIT")
	})
}

func TestB10_ANestedBlockIsLeftBehind(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for _, outer := range []error{nil, errAsked} {
			var d diary
			leave := make(chan struct{})
			var left func() error
			var nested context.Context
			err := s.do(t.Context(), func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				left = aside(func() error {
					return s.do(ctx, func(ctx context.Context) error {
						nested = ctx
						d.keep(ctx, t, s, "late")
						s.must(ctx, "INSERT b")
						<-leave
						return nil
					}, atomic.Name("late"))
				})
				return outer
			})
			if outer == nil {
				require.ErrorIs(t, err, atomic.ErrOuterContext)
				require.ErrorContains(t, err, `block "late"`)
				require.ErrorContains(t, err, "was still in progress when this block ended")
			} else {
				require.ErrorIs(t, err, outer)
			}
			s.sent("BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK")
			require.ErrorIs(t, s.exec(nested, "INSERT c"), atomic.ErrBlockClosed)
			close(leave)
			err = left()
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			require.ErrorIs(t, err, atomic.ErrOuterContext)
			require.Equal(t, diary{"-late"}, d)
		}
	})
}

// The same between a nested block and one inside it: its own part is undone.
func TestB10_ABlockInANestedOneIsLeftBehind(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		leave := make(chan struct{})
		var left func() error
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			err := s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				left = aside(func() error {
					return s.do(ctx, func(ctx context.Context) error {
						s.must(ctx, "INSERT b")
						<-leave
						return errAsked
					})
				})
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrOuterContext)
			return s.exec(ctx, "INSERT c")
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT a", "SAVEPOINT hf_2; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT c", "COMMIT")
		close(leave)
		require.ErrorIs(t, left(), errAsked)
	})
}

func TestB10_TwoGoroutinesNestOnOneBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			var mu sync.Mutex
			var refused int
			for range 2 {
				go func() {
					err := s.do(ctx, func(ctx context.Context) error {
						defer settle() // until the other one has been refused
						return s.exec(ctx, "INSERT a")
					})
					mu.Lock()
					defer mu.Unlock()
					if errors.Is(err, atomic.ErrOuterContext) {
						refused++
					}
				}()
			}
			pass(time.Second)
			mu.Lock()
			defer mu.Unlock()
			require.Equal(t, 1, refused)
			return nil
		}))
	})
}

func TestB15_TransactionControlIsRefused(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			for _, text := range []string{"BEGIN", "COMMIT", "ROLLBACK", "CREATE TABLE x"} {
				require.ErrorIs(t, s.exec(ctx, text), atomic.ErrTransactionControl, text)
			}
			err := s.exec(ctx, "INSERT a; INSERT b")
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			require.ErrorContains(t, err, "INSERT a; INSERT b")
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			_, err = s.db.Exec(ctx, block.Statement{SQL: "COMMIT", Built: true}) // the library knows what it does
			return err
		}))
		s.sent("BEGIN; COMMIT", "COMMIT")
		for _, text := range []string{"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT x"} {
			require.ErrorIs(t, s.exec(t.Context(), text), atomic.ErrTransactionControl, text)
		}
		s.sent()
		s.must(t.Context(), "CREATE TABLE x")
		_, err := s.db.Exec(t.Context(), block.Statement{SQL: "SAVEPOINT x", Built: true})
		require.NoError(t, err)
		s.sent("CREATE TABLE x", "2: SAVEPOINT x")
	})
}

// Each database has its own blocks in a ctx.
func TestB18_TwoDatabasesInOneCtx(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		other := &script{t: t, replies: map[string][]reply{}, setup: setup{server: mysql}}
		other.open()
		defer other.close()
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			require.False(t, atomic.In(ctx, other.db))
			return other.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				other.must(ctx, "INSERT b")
				return errAsked
			}, atomic.Durable())
		}), errAsked)
		s.sent("BEGIN; INSERT a", "ROLLBACK")
		other.sent("BEGIN; INSERT b", "ROLLBACK")
	})
}

func TestClose_TellsWhatFails(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		other := &script{t: t, replies: map[string][]reply{}, setup: setup{server: mysql, closing: errCaller}}
		other.open()
		other.must(t.Context(), "INSERT a")
		require.ErrorIs(t, other.db.Close(), errCaller)
	})
}

// A block that is in progress when the database is closed does not commit.
func TestB01_TheDatabaseIsClosed(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for _, depth := range []int{1, 2} {
			other := &script{t: t, replies: map[string][]reply{}, setup: setup{server: mysql, reserve: true}}
			other.open()
			err := other.do(t.Context(), func(ctx context.Context) error {
				other.must(ctx, "INSERT a")
				if depth == 1 {
					return other.db.Close()
				}
				return other.do(ctx, func(ctx context.Context) error { return other.db.Close() })
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			require.ErrorContains(t, err, "the database was closed")
			require.NotContains(t, other.arrived, "COMMIT")
		}
	})
}
