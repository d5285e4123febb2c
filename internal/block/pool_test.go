package block_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// Of a chain of blocks that set each other aside each has a connection. Waiting
// for one more than the pool has would never end.

var (
	independent = atomic.Propagation(atomic.Independent)
	suspended   = atomic.Propagation(atomic.Suspended)
	oneRoom     = setup{room: 1}
)

func TestB18_PoolExhausted(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return s.do(ctx, func(ctx context.Context) error {
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
			}, independent)
		}))
		s.sent("BEGIN; INSERT a", "2: BEGIN; INSERT b", "2: COMMIT", "COMMIT")
	}, setup{room: 2})
}

// Others give theirs back, perhaps: for those one waits.
func TestB18_ThePoolIsInUseByOthers(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		other, err := s.pool.Conn(t.Context())
		require.NoError(t, err)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCaller)
		defer cancel()
		err = s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") })
		require.ErrorIs(t, err, errCaller)
		require.NotErrorIs(t, err, dialect.ErrConnectionLost)
		require.NoError(t, other.Close())
	}, oneRoom)
}

func TestB18_ABlockThatHasSentNothingHoldsNothing(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			for _, mode := range []atomic.Option{independent, suspended} {
				require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, mode))
			}
			require.NoError(t, s.do(ctx, func(context.Context) error { return s.exec(ctx, "INSERT b") }, independent))
			return nil
		}))
	}, oneRoom)
}

// The block around it wants its first connection while one inside has it.
func TestB18_TheBlockInsideHasTheConnection(t *testing.T) {
	exhausted := func(t *testing.T, s *script, outer context.Context) {
		t.Helper()
		require.ErrorIs(t, s.exec(outer, "INSERT a"), atomic.ErrPoolExhausted)
	}
	for name, fn := range map[string]func(t *testing.T, s *script, outer context.Context) error{
		"at once": func(t *testing.T, s *script, outer context.Context) error {
			return s.do(outer, func(ctx context.Context) error {
				s.must(ctx, "INSERT b")
				exhausted(t, s, outer)
				return nil
			}, independent)
		},
		"and another one has ended": func(t *testing.T, s *script, outer context.Context) error {
			return s.do(outer, func(ctx context.Context) error {
				s.must(ctx, "INSERT b")
				require.NoError(t, s.do(outer, func(context.Context) error { return nil }, independent))
				exhausted(t, s, outer)
				return nil
			}, independent)
		},
		"while it has set itself aside": func(t *testing.T, s *script, outer context.Context) error {
			return s.do(outer, func(ctx context.Context) error {
				s.must(ctx, "INSERT b")
				return s.do(ctx, func(context.Context) error { exhausted(t, s, outer); return nil }, independent)
			}, independent)
		},
		"two levels further in": func(t *testing.T, s *script, outer context.Context) error {
			return s.do(outer, func(ctx context.Context) error {
				return s.do(ctx, func(ctx context.Context) error {
					s.must(ctx, "INSERT b")
					exhausted(t, s, outer)
					return nil
				}, independent)
			}, independent)
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				err := s.do(t.Context(), func(ctx context.Context) error { return fn(t, s, ctx) })
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
				require.ErrorIs(t, err, atomic.ErrPoolExhausted)
			}, oneRoom)
		})
	}
	// What was aside has ended: there is room again.
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }, independent))
			return s.exec(ctx, "INSERT a")
		}))
	}, oneRoom)
}

// A session's connection counts too, whoever has it.
func TestB18_TheSessionHasTheConnection(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		s.must(ctx, "INSERT a")
		require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
			return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }, suspended)
		}), atomic.ErrPoolExhausted)
		require.NoError(t, session.Close())
	}, oneRoom)
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		require.NoError(t, session.SetAutocommit(false))
		beside := func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }
		require.NoError(t, s.do(ctx, beside, suspended), "it has none yet")
		s.must(ctx, "INSERT a")
		for _, mode := range []atomic.Option{independent, suspended} {
			require.ErrorIs(t, s.do(ctx, beside, mode), atomic.ErrPoolExhausted)
		}
		require.NoError(t, session.Commit(ctx))
		require.NoError(t, s.do(ctx, func(ctx context.Context) error {
			require.ErrorIs(t, s.exec(ctx, "INSERT b"), atomic.ErrPoolExhausted)
			require.NoError(t, session.Close())
			return s.exec(ctx, "INSERT b") // it has none any more
		}, suspended))
	}, oneRoom)
	// A time limit has ended its block, and with it what runs beside that (B9).
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return s.do(ctx, func(beside context.Context) error {
				pass(2 * time.Second)
				require.ErrorIs(t, s.exec(context.WithoutCancel(beside), "INSERT b"), atomic.ErrBlockClosed)
				return nil
			}, suspended)
		}, atomic.Timeout(time.Second)), atomic.ErrTimeout)
		require.NoError(t, session.Close())
	}, oneRoom)
}

// Who has waited for one more connection, and got it, is in nobody's way afterwards.
func TestB18_WhoHasGotAConnectionWaitsNoMore(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for range 3 {
			require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }, atomic.Propagation(atomic.Independent))
			}))
		}
	}, setup{room: 2})
}
