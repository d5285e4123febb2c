package block_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/seam"
)

func never(t *testing.T) func(context.Context) error {
	return func(context.Context) error { t.Error("fn ran"); return nil }
}

func TestB18_Independent(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
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
		require.ErrorIs(t, s.do(closed, never(t), independent), atomic.ErrBlockClosed, "nor does anything begin apart from it (B9)")
	})
}

// What is done outside a block that has failed is none of its business: a note of the
// failure is written there.
func TestB18_SuspendedInABlockThatHasFailed(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT a", refuses(unique))
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			err := s.exec(ctx, "INSERT a")
			require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT note") }, atomic.Propagation(atomic.Suspended)))
			return err
		}), dialect.ErrUniqueViolation)
		s.sent("BEGIN; INSERT a", "2: INSERT note", "ROLLBACK")
	})
}

// The error of a block that is refused names the options that it would have had, the
// database's own among them.
func TestB18_TheOptionsOfARefusedBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for _, c := range []struct {
			opts []atomic.Option
			want string
		}{
			{[]atomic.Option{atomic.Propagation(atomic.Mandatory), atomic.ReadOnly()}, "Isolation(Serializable), ReadOnly"},
			{[]atomic.Option{atomic.Propagation(atomic.Mandatory), atomic.NoDefaults(), atomic.ReadOnly()}, "ReadOnly"},
			{[]atomic.Option{atomic.Propagation(atomic.Never), atomic.ReadOnly()}, ""},
		} {
			var refused *atomic.BlockError
			require.ErrorAs(t, s.do(t.Context(), never(t), c.opts...), &refused)
			require.Equal(t, c.want, refused.Block.Options)
		}
	}, setup{settings: block.Settings{Block: seam.Options{Isolation: sql.LevelSerializable}}})
}
