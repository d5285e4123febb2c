package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A hundred levels, a statement in each; the fiftieth fails.
func TestB04_DeepNesting(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		const levels = 100
		var level func(n int) func(ctx context.Context) error
		level = func(n int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				db.mustInsert(ctx, n)
				if n < levels {
					err := atomic.Do(ctx, db, level(n+1))
					if n == levels/2 {
						return errAsked
					}
					if n != levels/2-1 {
						require.NoError(t, err)
					}
				}
				return db.insert(ctx, 1000+n)
			}
		}
		require.NoError(t, atomic.Do(t.Context(), db, level(1)))
		kept := db.kept()
		assert.Len(t, kept, 2*(levels/2-1))
		assert.NotContains(t, kept, levels/2)
		assert.NotContains(t, kept, 1000+levels/2)
	})
}

// What has to be said of a nested block travels with COMMIT if nothing else
// follows.
func TestB07_ARollbackIsTheLastThing(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 2)
				require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error {
					db.mustInsert(ctx, 3)
					return errAsked
				}), errAsked)
				return nil
			})
			require.NoError(t, err)
			_ = atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 4)
				return db.refused(ctx)
			})
			return nil
		}))
		assert.Equal(t, []int{1, 2}, db.kept())
	})
}

// A statement can have a ctx of its own within the block's. When that ends the
// statement has failed, and so has its block.
func TestB11_AStatementsOwnCtx(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		r := db.rival()
		r.exec("UPDATE t SET v = 2 WHERE id = 1")
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			if db.Engine != testdb.SQLite {
				db.mustInsert(ctx, 2)
			}
			short, cancel := context.WithTimeout(ctx, 70*moment)
			defer cancel()
			require.ErrorIs(t, db.exec(short, "UPDATE t SET v = 3 WHERE id = 1"), context.DeadlineExceeded)
			require.ErrorIs(t, db.insert(ctx, 3), atomic.ErrRollbackRequired)
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		r.exec("COMMIT")
		db.settled()
		assert.Equal(t, []int{1}, db.kept())

		// One that cannot be cancelled still belongs to the block.
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			return db.insert(context.WithoutCancel(ctx), 4)
		}))
		assert.Equal(t, []int{1, 4}, db.kept())
	})
}

// Waiting for a connection of the pool is within the block's limits, too.
func TestB19_TimeoutWhileThePoolIsEmpty(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		held, err := one.pool().Conn(t.Context())
		require.NoError(t, err)
		err = atomic.Do(t.Context(), one, func(ctx context.Context) error { return one.insert(ctx, 1) }, atomic.Timeout(moment))
		require.ErrorIs(t, err, atomic.ErrTimeout)
		short, cancel := context.WithTimeoutCause(t.Context(), moment, errCancelled)
		defer cancel()
		err = atomic.Do(short, one, func(ctx context.Context) error { return one.insert(ctx, 1) })
		require.ErrorIs(t, err, errCancelled)
		require.NoError(t, held.Close())
		require.NoError(t, atomic.Do(t.Context(), one, func(ctx context.Context) error { return one.insert(ctx, 2) }))
		assert.Equal(t, []int{2}, db.kept())
	})
}

// Closing the database fails the blocks in progress.
func TestB01_TheDatabaseIsClosedInABlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, early := range []bool{false, true} {
			closing := db.again(setup{})
			err := atomic.Do(t.Context(), closing, func(ctx context.Context) error {
				if early {
					require.NoError(t, closing.executor.Close())
				}
				if err := closing.insert(ctx, 1); err != nil {
					return err
				}
				if !early {
					require.NoError(t, closing.executor.Close())
				}
				_ = closing.insert(ctx, 2)
				return nil
			})
			require.Error(t, err)
			db.settled()
			assert.Empty(t, db.kept())
		}
	})
}

// A session is used by one statement at a time, from however many goroutines.
func TestA02_ASessionInSeveralGoroutines(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, on := range []bool{false, true} {
			sess, ctx := db.session(t.Context())
			require.NoError(t, sess.SetAutocommit(on))
			errs := make(chan error)
			for id := range 20 {
				go func() { errs <- db.insert(ctx, id) }()
			}
			for range 20 {
				require.NoError(t, soon(t, "a statement", errs))
			}
			if !on {
				assert.Empty(t, db.kept())
				require.NoError(t, sess.Commit(ctx))
			}
			require.NoError(t, sess.Close())
			assert.Len(t, db.kept(), 20)
			require.NoError(t, db.exec(t.Context(), "DELETE FROM t"))
		}
	})
}
