package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

// A block takes its connection with its first statement (B21), nested blocks take
// none, and one that is Independent takes another (on SQLite it can only read then).
func TestB21_StatsShowWhoHoldsConnections(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		in := func(ctx context.Context, want int, then func(context.Context) error, opts ...atomic.Option) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				var one int
				assert.NoError(t, db.QueryRow(ctx, "SELECT 1").Scan(&one))
				assert.Equal(t, want, db.Stats().InUse)
				return then(ctx)
			}, opts...)
		}
		nothing := func(context.Context) error { return nil }
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			assert.Zero(t, db.Stats().InUse, "nothing was sent")
			return in(ctx, 1, func(ctx context.Context) error {
				return in(ctx, 2, nothing, atomic.Propagation(atomic.Independent), atomic.ReadOnly())
			})
		}))
		assert.Zero(t, db.Stats().InUse)
	})
}
