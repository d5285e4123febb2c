package block_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

func never(t *testing.T) func(context.Context) error {
	return func(context.Context) error { t.Error("fn ran"); return nil }
}

func TestB18_Independent(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		independent := atomic.Propagation(atomic.Independent)
		require.Equal(t, errAsked, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			require.NoError(t, s.do(ctx, func(inner context.Context) error {
				s.must(inner, "INSERT b")
				s.must(ctx, "INSERT c") // the block around it is not nested in
				return nil
			}, independent, atomic.ReadOnly(), atomic.Durable()))
			require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error { s.must(ctx, "INSERT d"); return errAsked }, independent), errAsked)
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			return errAsked
		}))
		s.sent("BEGIN; INSERT a", "2: BEGIN READ ONLY; INSERT b", "INSERT c", "2: COMMIT", "2: BEGIN; INSERT d", "2: ROLLBACK", "ROLLBACK")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, independent), "outside it is a block like any")
	})
}

func TestB18_Suspended(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		suspended := atomic.Propagation(atomic.Suspended)
		require.Equal(t, errAsked, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			require.NoError(t, s.do(ctx, func(ctx context.Context) error {
				require.False(t, atomic.In(ctx, s.db))
				require.ErrorIs(t, s.lock(ctx, "SELECT a", 0), atomic.ErrNotInBlock)
				require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT c") }))
				return s.exec(ctx, "INSERT b")
			}, suspended, atomic.Name("beside")))
			require.Equal(t, errCaller, s.do(ctx, func(context.Context) error { return errCaller }, suspended))
			return errAsked
		}))
		s.sent("BEGIN; INSERT a", "2: BEGIN; INSERT c", "2: COMMIT", "2: INSERT b", "ROLLBACK")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, suspended))
		s.forget()
		// In a session without a block there is nothing to set aside.
		session, ctx := s.session(t.Context())
		s.must(ctx, "SET a")
		require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }, suspended))
		require.NoError(t, session.Close())
		s.sent("SET a", "INSERT b")
	})
}

func TestB18_NeverAndMandatory(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, s.do(t.Context(), never(t), atomic.Propagation(atomic.Mandatory)), atomic.ErrNotInBlock)
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.False(t, atomic.In(ctx, s.db))
			return s.exec(ctx, "INSERT a")
		}, atomic.Propagation(atomic.Never)))
		s.sent("INSERT a")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			err := s.do(ctx, never(t), atomic.Propagation(atomic.Never))
			require.ErrorIs(t, err, atomic.ErrInBlock)
			require.ErrorContains(t, err, `Propagation(Never) inside block "outer"`)
			var blame *atomic.BlockError
			require.ErrorAs(t, err, &blame)
			require.Equal(t, 2, blame.Block.Depth, "where it would have been")
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			return nil
		}, atomic.Name("outer")))
	})
}

func TestB18_ValueTellsWhetherItIsKept(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for name, c := range map[string]struct {
			opts []atomic.Option
			err  error
			want int
		}{
			"committed":                      {nil, nil, 7},
			"failed":                         {nil, errAsked, 0},
			"without a block":                {[]atomic.Option{atomic.Propagation(atomic.Never)}, nil, 7},
			"without a block, failed":        {[]atomic.Option{atomic.Propagation(atomic.Never)}, errAsked, 0},
			"under Retry":                    {[]atomic.Option{atomic.Retry(1)}, nil, 7},
			"under Retry, failed":            {[]atomic.Option{atomic.Retry(1)}, errAsked, 0},
			"with an option that is refused": {[]atomic.Option{atomic.Timeout(0)}, nil, 0},
		} {
			n, err := atomic.Value(t.Context(), s.db, func(ctx context.Context) (int, error) { return 7, c.err }, c.opts...)
			require.Equal(t, c.want, n, name)
			require.Equal(t, c.want == 0, err != nil, name)
		}
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			for _, want := range []error{nil, errAsked, atomic.Rollback} {
				n, err := atomic.Value(ctx, s.db, func(ctx context.Context) (int, error) { return 7, want })
				require.Equal(t, want == nil, n == 7)
				require.Equal(t, want == errAsked, err != nil)
			}
			return nil
		}))
	})
}

func TestB18_OptionsThatCannotBeHonoured(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		outermost := map[string]atomic.Option{
			"ReadOnly": atomic.ReadOnly(), "Isolation": atomic.Isolation(sql.LevelSerializable), "ReadOnly, Deferrable": atomic.Deferrable(),
			"Retry": atomic.Retry(1), "IdleTimeout": atomic.IdleTimeout(1), "ResolveCommit": atomic.ResolveCommit(),
		}
		ofABlock := map[string]atomic.Option{
			"Durable": atomic.Durable(), "NoSavepoint": atomic.NoSavepoint(), "Timeout": atomic.Timeout(time.Hour),
			"LockTimeout": atomic.LockTimeout(0), "ExplainLocks": atomic.ExplainLocks(),
		}
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			for names, option := range outermost {
				err := s.do(ctx, never(t), option)
				require.ErrorIs(t, err, atomic.ErrOption)
				require.ErrorContains(t, err, names+" cannot be honoured inside block")
				ofABlock[names] = option
			}
			for names, option := range ofABlock {
				for _, mode := range []atomic.PropagationMode{atomic.Never, atomic.Suspended} {
					for _, ctx := range []context.Context{ctx, t.Context()} {
						err := s.do(ctx, never(t), option, atomic.Propagation(mode))
						require.ErrorIs(t, err, atomic.ErrOption)
						require.ErrorContains(t, err, names+" cannot be honoured: with this Propagation")
					}
				}
			}
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			return nil
		}))
		for _, opts := range [][]atomic.Option{{nil}, {atomic.Timeout(0)}, {atomic.Propagation(99)}} {
			err := s.do(t.Context(), never(t), opts...)
			require.ErrorIs(t, err, atomic.ErrOption)
		}
		err := atomic.Do(t.Context(), s.db, nil)
		require.ErrorIs(t, err, atomic.ErrOption)
		require.ErrorContains(t, err, "block (depth 1, propagation_test.go:")
		s.sent()
	})
}

// A block inside one that cannot go on is refused before its options are looked at.
func TestB18_TheBlockAroundItIsNotUsable(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var closed context.Context
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { closed = ctx; return nil }))
		require.ErrorIs(t, s.do(closed, never(t)), atomic.ErrBlockClosed)
		require.ErrorIs(t, s.do(closed, never(t), atomic.NoSavepoint()), atomic.ErrBlockClosed)
		require.NoError(t, s.do(closed, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.Propagation(atomic.Independent)))
	})
}

// Of a chain of blocks that set each other aside each has a connection. Waiting
// for one more than the pool has would never end.
func TestB18_PoolExhausted(t *testing.T) {
	independent, suspended := atomic.Propagation(atomic.Independent), atomic.Propagation(atomic.Suspended)
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			require.NoError(t, s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "INSERT b")
				err := s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT c") }, independent)
				require.ErrorIs(t, err, atomic.ErrPoolExhausted)
				var failed *atomic.FailedError
				require.ErrorAs(t, err, &failed)
				require.Equal(t, "INSERT c", failed.Statement)
				err = s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT c") }, suspended)
				require.ErrorIs(t, err, atomic.ErrPoolExhausted)
				err = s.do(ctx, func(ctx context.Context) error { _, err := s.stream(ctx, "SELECT c"); return err }, suspended)
				require.ErrorIs(t, err, atomic.ErrPoolExhausted)
				return nil
			}, independent))
			return nil
		}))
		s.sent("BEGIN; INSERT a", "2: BEGIN; INSERT b", "2: COMMIT", "COMMIT")
	}, setup{room: 2})

	// A block that has sent nothing holds nothing.
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			for _, mode := range []atomic.Option{independent, suspended} {
				require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, mode))
			}
			return s.exec(ctx, "INSERT b")
		}))
	}, setup{room: 1})

	// The block around it wants its first connection while the one inside has it.
	play(t, func(t *testing.T, s *script) {
		err := s.do(t.Context(), func(ctx context.Context) error {
			return s.do(ctx, func(inner context.Context) error {
				s.must(inner, "INSERT b")
				require.ErrorIs(t, s.do(inner, func(context.Context) error { return s.exec(ctx, "INSERT a") }, independent), atomic.ErrPoolExhausted)
				return nil
			}, independent)
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, atomic.ErrPoolExhausted)
		// What was aside has ended: there is room again.
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }, independent))
			return s.exec(ctx, "INSERT a")
		}))
	}, setup{room: 1})
	// Nobody has it, and nobody but the one inside, and one aside after another.
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			return s.do(ctx, func(context.Context) error { return s.exec(ctx, "INSERT a") }, independent)
		}))
		err := s.do(t.Context(), func(ctx context.Context) error {
			return s.do(ctx, func(inner context.Context) error {
				s.must(inner, "INSERT b")
				require.NoError(t, s.do(ctx, func(context.Context) error { return nil }, independent), "it has sent nothing")
				require.ErrorIs(t, s.exec(ctx, "INSERT a"), atomic.ErrPoolExhausted)
				return nil
			}, independent)
		})
		require.ErrorIs(t, err, atomic.ErrPoolExhausted)
	}, setup{room: 1})
	// Two levels further in.
	play(t, func(t *testing.T, s *script) {
		err := s.do(t.Context(), func(ctx context.Context) error {
			return s.do(ctx, func(middle context.Context) error {
				return s.do(middle, func(inner context.Context) error {
					s.must(inner, "INSERT c")
					require.ErrorIs(t, s.exec(ctx, "INSERT a"), atomic.ErrPoolExhausted)
					return nil
				}, independent)
			}, independent)
		})
		require.ErrorIs(t, err, atomic.ErrPoolExhausted)
	}, setup{room: 1})
	// A session's connection counts too, whoever has it.
	for _, autocommit := range []bool{true, false} {
		play(t, func(t *testing.T, s *script) {
			session, ctx, err := atomic.OpenSession(t.Context(), s.db)
			require.NoError(t, err)
			require.NoError(t, session.SetAutocommit(autocommit))
			s.must(ctx, "INSERT a")
			beside := func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }
			if autocommit {
				require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error { return s.do(ctx, beside, suspended) }), atomic.ErrPoolExhausted)
			} else {
				require.ErrorIs(t, s.do(ctx, beside, suspended), atomic.ErrPoolExhausted)
				require.ErrorIs(t, s.do(ctx, beside, independent), atomic.ErrPoolExhausted)
				require.NoError(t, session.Commit(ctx))
			}
			require.NoError(t, session.Close())
		}, setup{room: 1})
	}
	// One that has none yet, or no more, does not.
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		require.NoError(t, session.SetAutocommit(false))
		require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }, suspended))
		s.must(ctx, "INSERT a")
		require.NoError(t, session.Commit(ctx))
		require.NoError(t, s.do(ctx, func(ctx context.Context) error {
			require.ErrorIs(t, s.exec(ctx, "INSERT b"), atomic.ErrPoolExhausted)
			require.NoError(t, session.Close())
			return s.exec(ctx, "INSERT b")
		}, suspended))
	}, setup{room: 1})
	// A block of a session that a time limit has ended: the session has it again.
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return s.do(ctx, func(beside context.Context) error {
				pass(2 * time.Second)
				require.ErrorIs(t, s.exec(context.WithoutCancel(beside), "INSERT b"), atomic.ErrPoolExhausted)
				return nil
			}, suspended)
		}, atomic.Timeout(time.Second)), atomic.ErrTimeout)
		require.NoError(t, session.Close())
	}, setup{room: 1})
	play(t, func(t *testing.T, s *script) {
		other, err := s.pool.Conn(t.Context())
		require.NoError(t, err)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCaller)
		defer cancel()
		err = s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") })
		require.ErrorIs(t, err, errCaller, "others give theirs back, perhaps")
		require.NotErrorIs(t, err, dialect.ErrConnectionLost)
		require.NoError(t, other.Close())
	}, setup{room: 1})
}
