package tests

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The network swallows the COMMIT of many blocks at once. Their sessions are
// still there, and the server answers all the while: every one of them can be
// told, and not one after the other.
func TestB12_ResolveCommitInAStorm(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		const blocks = 80
		far, p := db.distant(setup{pool: blocks, Settings: block.Settings{CommitTimeout: 5 * time.Minute}})
		storm := func(blocks int) time.Duration {
			start := time.Now()
			var traps []*proxy.Trap
			for range blocks {
				traps = append(traps, p.On("\x00COMMIT\x00", proxy.Strand))
			}
			errs := make([]error, blocks)
			var g errgroup.Group
			for i := range blocks {
				g.Go(func() error {
					errs[i] = atomic.Do(t.Context(), far, func(ctx context.Context) error { return far.insert(ctx, i) }, atomic.ResolveCommit())
					return nil
				})
			}
			require.NoError(t, g.Wait())
			took := time.Since(start)
			for _, trap := range traps {
				require.Equal(t, 1, trap.Hits())
				trap.Release()
			}
			far.settled()
			for i, err := range errs {
				require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
				require.ErrorIs(t, err, dialect.ErrConnectionLost)
				assert.False(t, db.has(i))
			}
			return took
		}
		alone := storm(1)
		assert.Less(t, storm(blocks), blocks/2*alone, "together, and not one after the other")
	}, testdb.Postgres)
}

// What has read only has nothing whose fate could be unknown.
func TestB12_AReadOnlyBlockIsNeverUnknown(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.eachLoss(setup{}, func(l loss, far *database) {
			err := atomic.Do(t.Context(), far, func(ctx context.Context) error {
				_, err := far.count(ctx)
				return err
			}, atomic.ReadOnly())
			require.NotErrorIs(t, err, atomic.ErrCommitUnknown, l.name)
			require.ErrorIs(t, err, dialect.ErrConnectionLost, l.name)
		})
		db.eachLoss(setup{}, func(l loss, far *database) {
			attempts := 0
			require.NoError(t, atomic.Do(t.Context(), far, func(ctx context.Context) error {
				attempts++
				_, err := far.count(ctx)
				return err
			}, atomic.ReadOnly(), atomic.Retry(1)), l.name)
			assert.Equal(t, 2, attempts, l.name)
		})
	})
}
