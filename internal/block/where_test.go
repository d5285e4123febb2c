package block_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block"
)

// Who asks where a ctx belongs is told: to a transaction in progress, to none, or to
// one that has ended.
func TestB09_WhereACtxBelongs(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		where := func(ctx context.Context) (encloses, unsent bool, outside error) {
			return s.db.Encloses(ctx), s.db.Unsent(ctx), s.db.Outside(ctx, "it has a block of its own")
		}
		encloses, unsent, outside := where(t.Context())
		require.False(t, encloses)
		require.False(t, unsent)
		require.NoError(t, outside)

		var ended context.Context
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			ended = ctx
			encloses, unsent, outside := where(ctx)
			require.True(t, encloses)
			require.True(t, unsent)
			require.ErrorIs(t, outside, atomic.ErrInBlock)
			require.ErrorContains(t, outside, "it has a block of its own")
			s.must(ctx, "INSERT a")
			require.False(t, s.db.Unsent(ctx))
			return s.do(ctx, func(ctx context.Context) error {
				encloses, unsent, outside := where(ctx)
				require.False(t, encloses, "it is set aside")
				require.False(t, unsent)
				require.NoError(t, outside)
				return nil
			}, atomic.Propagation(atomic.Suspended))
		}))
		require.ErrorIs(t, s.db.Outside(ended, ""), atomic.ErrBlockClosed)
		require.NotErrorIs(t, s.db.Outside(ended, ""), atomic.ErrInBlock)

		session, ctx := s.session(t.Context())
		encloses, unsent, outside = where(ctx)
		require.False(t, encloses, "each statement commits by itself")
		require.False(t, unsent)
		require.NoError(t, outside)
		require.NoError(t, session.SetAutocommit(false))
		encloses, unsent, outside = where(ctx)
		require.True(t, encloses)
		require.True(t, unsent)
		require.ErrorIs(t, outside, atomic.ErrInBlock)
		require.NoError(t, session.Close())
		encloses, unsent, outside = where(ctx)
		require.False(t, encloses)
		require.False(t, unsent)
		require.ErrorIs(t, outside, atomic.ErrSessionClosed)
	})
}

// What has set aside a block that has ended belongs nowhere: nothing may be sent there, and
// nothing begins.
func TestB09_SetAsideByABlockThatHasEnded(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var late context.Context
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			return s.do(ctx, func(ctx context.Context) error { late = ctx; return s.exec(ctx, "INSERT a") }, atomic.Propagation(atomic.Suspended))
		}))
		s.sent("INSERT a")
		require.ErrorIs(t, s.exec(late, "INSERT b"), atomic.ErrBlockClosed)
		require.ErrorIs(t, s.do(late, never(t)), atomic.ErrBlockClosed)
		_, _, err := atomic.OpenSession(late, s.db)
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		_, err = s.db.SQL().ExecContext(late, "INSERT b")
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		require.ErrorIs(t, s.db.Outside(late, ""), atomic.ErrBlockClosed)
		_, err = s.once(late)
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		_, err = s.db.Exec(late, block.Statement{SQL: "SAVEPOINT a"})
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		s.sent()

		// A session that it has set aside has not.
		session, ctx := s.session(t.Context())
		require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT c") }, atomic.Propagation(atomic.Suspended)))
		require.NoError(t, session.Close())
	})
}
