package block_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// crowd leaves n connections in the pool that have carried a statement.
func crowd(ctx context.Context, s *script, n int) {
	s.pool.SetMaxIdleConns(n)
	var release []func() error
	for range n {
		c, err := s.pool.Conn(ctx)
		require.NoError(s.t, err)
		require.NoError(s.t, c.Raw(func(c any) error { c.(interface{ self() *conn }).self().used = true; return nil }))
		release = append(release, c.Close)
	}
	for _, f := range release {
		require.NoError(s.t, f())
	}
}

// After a cut of the network the pools of the replica and of the writer have closed
// connections: how many the one has says nothing of the other.
func TestS06_StaleConnectionsOfReplicaAndWriter(t *testing.T) {
	for name, read := range map[string]func(ctx context.Context, s *script) error{
		"outside any block": reads,
		"in a block":        readsOnly,
		"of a text in a block": func(ctx context.Context, s *script) error {
			return s.do(ctx, func(ctx context.Context) error {
				_, err := s.all(ctx, "SELECT a")
				return err
			}, atomic.ReadOnly())
		},
	} {
		t.Run(name, func(t *testing.T) {
			withReplicas(t, 1, func(t *testing.T, s *script, _ *history, _ *strings.Builder, all []*follower) {
				r := all[0]
				crowd(t.Context(), r.script, 1)
				crowd(t.Context(), s, 3)
				r.age()
				s.age()
				r.refuse(farewell) // it has not come up again
				require.NoError(t, read(t.Context(), s))
				r.sent()
				require.Equal(t, []int{4}, s.connected())
			})
		})
	}
	// And servers that close each at once are not tried for ever.
	withReplicas(t, 2, func(t *testing.T, s *script, _ *history, _ *strings.Builder, all []*follower) {
		servers := []*script{s, all[0].script, all[1].script}
		for _, one := range servers {
			one.on("SELECT a", slices.Repeat([]reply{refuses(notSent)}, 9)...)
		}
		require.ErrorIs(t, reads(t.Context(), s), dialect.ErrConnectionLost)
		for _, one := range servers {
			require.Len(t, one.arrived, len(one.conns))
			require.LessOrEqual(t, len(one.conns), 3)
			one.replies = nil
		}
	})
}
