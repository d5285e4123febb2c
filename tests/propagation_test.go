package tests

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestB18_JoinAndMandatory(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		for _, mode := range []atomic.PropagationMode{atomic.Join, atomic.Mandatory} {
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 1)
				_ = atomic.Do(ctx, db, func(context.Context) error { return errAsked }, atomic.Propagation(mode))
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			require.ErrorIs(t, err, errAsked)
			assert.Empty(t, db.kept())
		}
		err := atomic.Do(ctx, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil }, atomic.Propagation(atomic.Mandatory))
		require.ErrorIs(t, err, atomic.ErrNotInBlock)
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 1) }, atomic.Propagation(atomic.Join)))
		assert.Equal(t, []int{1}, db.kept())
	})
}

func TestB18_Never(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			err := atomic.Do(ctx, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil }, atomic.Propagation(atomic.Never))
			require.ErrorIs(t, err, atomic.ErrInBlock)
			assert.False(t, atomic.NeedsRollback(ctx, db))
			return nil
		}))
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			assert.False(t, atomic.In(ctx, db))
			db.mustInsert(ctx, 1)
			return errAsked
		}, atomic.Propagation(atomic.Never))
		require.ErrorIs(t, err, errAsked)
		assert.Equal(t, []int{1}, db.kept(), "there was no block to roll back")
	})
}

// On SQLite an Independent block that writes would wait for the lock of the
// block around it; here it comes first.
func TestB18_Independent(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(outer context.Context) error {
			if db.Engine != testdb.SQLite {
				db.mustInsert(outer, 1)
			}
			require.NoError(t, atomic.Do(outer, db, func(ctx context.Context) error {
				n, err := db.count(ctx)
				require.NoError(t, err)
				assert.Zero(t, n, "what the outer has not committed")
				db.mustInsert(ctx, 2)
				return atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 3) })
			}, atomic.Propagation(atomic.Independent), atomic.Durable(), atomic.Isolation(sql.LevelRepeatableRead), quick(1)))
			assert.Equal(t, []int{2, 3}, db.kept())
			err := atomic.Do(outer, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 4)
				return db.refused(ctx)
			}, atomic.Propagation(atomic.Independent))
			require.Error(t, err)
			assert.False(t, atomic.NeedsRollback(outer, db), "its failure is its own")
			db.mustInsert(outer, 5)
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		db.idle()
		assert.Equal(t, []int{2, 3}, db.kept())
	})
}

func TestB18_Suspended(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(outer context.Context) error {
			if db.Engine != testdb.SQLite {
				db.mustInsert(outer, 1)
			}
			err := atomic.Do(outer, db, func(ctx context.Context) error {
				assert.False(t, atomic.In(ctx, db))
				db.mustInsert(ctx, 2)
				assert.Equal(t, []int{2}, db.kept(), "committed by itself")
				require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 3) }, atomic.Durable()))
				assert.Equal(t, []int{2, 3}, db.kept())
				return errAsked
			}, atomic.Propagation(atomic.Suspended))
			require.ErrorIs(t, err, errAsked)
			db.mustInsert(outer, 4)
			return err
		})
		require.ErrorIs(t, err, errAsked)
		assert.Equal(t, []int{2, 3}, db.kept())
	})
}

// Options that a nested block cannot honour are refused, and so are those that
// contradict each other; fn does not run, and the outer block is as before.
func TestB18_OptionsThatCannotBeHonoured(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		forbidden := map[string]atomic.Option{
			"Isolation": atomic.Isolation(sql.LevelSerializable), "ReadOnly": atomic.ReadOnly(), "Deferrable": atomic.Deferrable(),
			"Retry": atomic.Retry(1), "IdleTimeout": atomic.IdleTimeout(time.Second), "ResolveCommit": atomic.ResolveCommit(),
		}
		never := func(context.Context) error { assert.Fail(t, "fn runs"); return nil }
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			for name, option := range forbidden {
				for _, more := range [][]atomic.Option{nil, {atomic.NoSavepoint()}, {atomic.Propagation(atomic.Join)}} {
					err := atomic.Do(ctx, db, never, append(more, option)...)
					require.ErrorIs(t, err, atomic.ErrOption, name)
					assert.ErrorContains(t, err, name)
				}
			}
			assert.False(t, atomic.NeedsRollback(ctx, db))
			// And those that it can.
			return atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 2) },
				atomic.Name("n"), atomic.Timeout(time.Minute), atomic.LockTimeout(time.Minute))
		}))
		assert.Equal(t, []int{1, 2}, db.kept())
		// Where fn runs without a block there is none to honour any of them.
		for name, option := range map[string]atomic.Option{
			"Durable": atomic.Durable(), "NoSavepoint": atomic.NoSavepoint(), "Timeout": atomic.Timeout(time.Minute),
			"LockTimeout": atomic.LockTimeout(0), "ExplainLocks": atomic.ExplainLocks(),
		} {
			forbidden[name] = option
		}
		for name, option := range forbidden {
			for _, mode := range []atomic.PropagationMode{atomic.Never, atomic.Suspended} {
				err := atomic.Do(t.Context(), db, never, atomic.Propagation(mode), option)
				require.ErrorIs(t, err, atomic.ErrOption, name)
				assert.ErrorContains(t, err, name)
			}
		}
		for _, option := range []atomic.Option{
			atomic.Timeout(0), atomic.IdleTimeout(-1), atomic.LockTimeout(-1), atomic.Propagation(99),
			atomic.RetryPolicy{Max: -1}, atomic.RetryPolicy{Base: -1}, nil,
		} {
			require.ErrorIs(t, atomic.Do(t.Context(), db, never, option), atomic.ErrOption)
		}
		require.ErrorIs(t, atomic.Do(t.Context(), db, nil), atomic.ErrOption)
		_, err := atomic.Value[int](t.Context(), db, nil)
		require.ErrorIs(t, err, atomic.ErrOption)
		for _, on := range []func(context.Context, atomic.DB, func(context.Context) error, ...atomic.HookOption) error{atomic.OnCommit, atomic.OnRollback} {
			require.ErrorIs(t, on(t.Context(), db, nil), atomic.ErrOption)
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				require.ErrorIs(t, on(ctx, db, nil), atomic.ErrOption)
				require.ErrorIs(t, on(ctx, db, never, nil), atomic.ErrOption)
				return db.insert(ctx, 100)
			}))
			require.NoError(t, db.exec(t.Context(), "DELETE FROM t WHERE id = 100"))
		}
	})
}

// A pool of one connection: nesting needs no more, and what needs more says so
// instead of waiting for itself.
func TestB18_APoolOfOne(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		independent, suspended := atomic.Propagation(atomic.Independent), atomic.Propagation(atomic.Suspended)
		insert := func(id int) func(context.Context) error {
			return func(ctx context.Context) error { return one.insert(ctx, id) }
		}
		require.NoError(t, atomic.Do(t.Context(), one, func(ctx context.Context) error {
			require.NoError(t, atomic.Do(ctx, one, insert(1), independent), "nothing is held yet")
			require.NoError(t, atomic.Do(ctx, one, insert(2), suspended), "nothing is held yet")
			one.mustInsert(ctx, 3)
			require.NoError(t, atomic.Do(ctx, one, insert(4)))
			require.ErrorIs(t, atomic.Do(ctx, one, insert(5), independent), atomic.ErrPoolExhausted)
			require.ErrorIs(t, atomic.Do(ctx, one, insert(6), suspended), atomic.ErrPoolExhausted)
			err := atomic.Do(ctx, one, func(ctx context.Context) error { return atomic.Do(ctx, one, insert(7)) }, suspended)
			require.ErrorIs(t, err, atomic.ErrPoolExhausted)
			assert.False(t, atomic.NeedsRollback(ctx, one))
			return nil
		}))
		assert.Equal(t, []int{1, 2, 3, 4}, db.kept())
	})
}

// The other way round: the inner block holds what the outer one needs.
func TestB18_APoolOfOneTheOtherWayRound(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		limit, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_ = atomic.Do(limit, one, func(outer context.Context) error {
			return atomic.Do(outer, one, func(ctx context.Context) error {
				one.mustInsert(ctx, 1)
				require.ErrorIs(t, one.insert(outer, 2), atomic.ErrPoolExhausted)
				return nil
			}, atomic.Propagation(atomic.Independent))
		})
		require.NoError(t, limit.Err(), "a block waited for itself")
		assert.Equal(t, []int{1}, db.kept())
	})
}
