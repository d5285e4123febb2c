package block_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
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
