package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
)

func TestB24_SavepointsByHand(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var d diary
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			d.both(ctx, t, db, "kept")
			sp, err := atomic.Savepoint(ctx, db)
			require.NoError(t, err)
			db.mustInsert(ctx, 2)
			d.both(ctx, t, db, "undone")
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				d.both(ctx, t, db, "undone with its block")
				return db.insert(ctx, 3)
			}))
			db.mustRefuse(ctx)
			require.ErrorIs(t, sp.Release(ctx), atomic.ErrRollbackRequired)
			require.NoError(t, sp.Rollback(ctx))
			assert.False(t, atomic.NeedsRollback(ctx, db), "the mark is gone")
			n, err := db.count(ctx)
			require.NoError(t, err)
			assert.EqualValues(t, 1, n)
			db.mustInsert(ctx, 4)

			require.NoError(t, sp.Rollback(ctx), "it is still there")
			db.mustInsert(ctx, 5)
			require.NoError(t, sp.Release(ctx))
			require.ErrorIs(t, sp.Rollback(ctx), atomic.ErrSavepointEnded)
			require.ErrorIs(t, sp.Release(ctx), atomic.ErrSavepointEnded)
			return db.insert(ctx, 6)
		}))
		assert.Equal(t, []int{1, 5, 6}, db.kept())
		assert.Equal(t, []string{"+kept", "-undone", "-undone with its block"}, d.take())
	})
}

// Rolling back to a savepoint ends those that were set after it; releasing one
// ends them too, and keeps their work.
func TestB24_SavepointsInSavepoints(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			set := func() *atomic.Point {
				sp, err := atomic.Savepoint(ctx, db)
				require.NoError(t, err)
				return sp
			}
			a := set()
			db.mustInsert(ctx, 1)
			b := set()
			db.mustInsert(ctx, 2)
			c := set() // never heard of by the server
			require.NoError(t, a.Rollback(ctx))
			require.ErrorIs(t, b.Rollback(ctx), atomic.ErrSavepointEnded)
			require.ErrorIs(t, c.Rollback(ctx), atomic.ErrSavepointEnded)
			db.mustInsert(ctx, 3)

			b = set()
			db.mustInsert(ctx, 4)
			c = set()
			db.mustInsert(ctx, 5)
			require.NoError(t, c.Rollback(ctx))
			require.NoError(t, b.Release(ctx))
			require.ErrorIs(t, c.Release(ctx), atomic.ErrSavepointEnded)
			return db.insert(ctx, 6)
		}))
		assert.Equal(t, []int{3, 4, 6}, db.kept())
	})
}

// A savepoint clears the mark of what came after it, not of what came before.
func TestB24_AMarkFromBefore(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			early, err := atomic.Savepoint(ctx, db)
			require.NoError(t, err)
			db.mustInsert(ctx, 2)
			db.mustRefuse(ctx)
			_, err = atomic.Savepoint(ctx, db)
			require.ErrorIs(t, err, atomic.ErrRollbackRequired, "too late")
			require.NoError(t, early.Rollback(ctx))

			// A joined block has no savepoint, but its outer one's by hand can
			// undo what it did.
			_ = atomic.Do(ctx, db, db.refused, atomic.NoSavepoint())
			assert.True(t, atomic.NeedsRollback(ctx, db))
			require.NoError(t, early.Rollback(ctx))
			return db.insert(ctx, 3)
		})
		require.NoError(t, err)
		assert.Equal(t, []int{1, 3}, db.kept())
	})
}

func TestB24_OfAnotherBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var over *atomic.Point
		require.NoError(t, atomic.Do(t.Context(), db, func(outer context.Context) error {
			db.mustInsert(outer, 1)
			mine, err := atomic.Savepoint(outer, db)
			require.NoError(t, err)
			over = mine
			var theirs *atomic.Point
			require.NoError(t, atomic.Do(outer, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 2)
				theirs, err = atomic.Savepoint(ctx, db)
				require.NoError(t, err)
				require.ErrorIs(t, mine.Rollback(ctx), atomic.ErrSavepointEnded, "the outer's, with the inner ctx")
				require.ErrorIs(t, mine.Rollback(outer), atomic.ErrOuterContext)
				require.ErrorIs(t, mine.Release(outer), atomic.ErrOuterContext)
				return db.insert(ctx, 3)
			}))
			require.Error(t, theirs.Rollback(outer), "of a block that has ended")
			return nil
		}))
		require.ErrorIs(t, over.Rollback(t.Context()), atomic.ErrBlockClosed)
		_, err := atomic.Savepoint(t.Context(), db)
		require.ErrorIs(t, err, atomic.ErrNotInBlock)
		assert.Equal(t, []int{1, 2, 3}, db.kept())
	})
}

// After a failure that has ended the whole transaction nothing is left to roll
// back to (B8).
func TestB24_NotAfterAFatalError(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		d := armDuel(db)
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			sp, err := atomic.Savepoint(ctx, db)
			require.NoError(t, err)
			_ = d.deadlock(ctx)
			require.ErrorIs(t, sp.Rollback(ctx), atomic.ErrRollbackRequired)
			require.ErrorIs(t, db.insert(ctx, 2), atomic.ErrRollbackRequired)
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		assert.Empty(t, db.kept())
	}, "mysql", "mariadb", "postgres")
}
