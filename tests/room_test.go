package tests

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

var servers = []testdb.Engine{testdb.MySQL, testdb.MariaDB, testdb.Postgres}

// Blocks that hold all connections of the pool and want one more each would wait for
// each other for ever.
func TestB18_BlocksThatWaitForEachOther(t *testing.T) {
	apart := map[string]func(ctx context.Context, db *database, id int) error{
		"Independent": func(ctx context.Context, db *database, id int) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, id) }, atomic.Propagation(atomic.Independent))
		},
		"Suspended": func(ctx context.Context, db *database, id int) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, id) }, atomic.Propagation(atomic.Suspended))
		},
		"a session in Suspended": func(ctx context.Context, db *database, id int) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				sess, ctx, err := atomic.OpenSession(ctx, db)
				if err != nil {
					return err
				}
				defer func() { _ = sess.Close() }()
				return db.insert(ctx, id)
			}, atomic.Propagation(atomic.Suspended))
		},
	}
	each(t, func(t *testing.T, db *database) {
		for what, more := range apart {
			db.arrange("DELETE FROM t")
			small := db.again(setup{pool: 3})
			var ready, done sync.WaitGroup
			ready.Add(3)
			errs := make([]error, 3)
			for i := range 3 {
				done.Go(func() {
					errs[i] = atomic.Do(t.Context(), small, func(ctx context.Context) error {
						err := small.insert(ctx, i)
						ready.Done()
						ready.Wait()
						return errors.Join(err, more(ctx, small, 10+i))
					})
				})
			}
			done.Wait()
			refused := 0
			for _, err := range errs {
				if err != nil {
					require.ErrorIs(t, err, atomic.ErrPoolExhausted, what)
					refused++
				}
			}
			assert.Positive(t, refused, what)
			assert.Less(t, refused, 3, "one makes room for the others: %s", what)
		}
	}, servers...)
}

// On a pool of one.
func TestB18_ASessionInSuspended(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		require.NoError(t, atomic.Do(t.Context(), one, func(ctx context.Context) error {
			_, err := one.count(ctx)
			require.NoError(t, err)
			return atomic.Do(ctx, one, func(ctx context.Context) error {
				sess, ctx, err := atomic.OpenSession(ctx, one)
				require.NoError(t, err)
				_, err = one.count(ctx)
				require.ErrorIs(t, err, atomic.ErrPoolExhausted)
				require.NoError(t, sess.SetAutocommit(false))
				_, err = one.count(ctx)
				require.ErrorIs(t, err, atomic.ErrPoolExhausted)
				require.NoError(t, sess.Close())
				return nil
			}, atomic.Propagation(atomic.Suspended))
		}))
	})
}

// A hook after a session's Commit has a connection to work with.
func TestB16_AHookOfASessionOnAPoolOfOne(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		sess, ctx := one.session(t.Context())
		require.NoError(t, sess.SetAutocommit(false))
		one.mustInsert(ctx, 1)
		require.NoError(t, atomic.OnCommit(ctx, one, func(ctx context.Context) error {
			require.NoError(t, one.insert(ctx, 2))
			return atomic.Do(ctx, one, func(ctx context.Context) error { return one.insert(ctx, 3) })
		}))
		require.NoError(t, sess.Commit(ctx))
		one.mustInsert(ctx, 4)
		require.NoError(t, sess.Commit(ctx))
		require.NoError(t, sess.Close())
		assert.Equal(t, []int{1, 2, 3, 4}, db.kept())
	})
}

// Of two that commit at once both are told what became of their work.
func TestA02_TwoCommitsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		off := db.again(manual)
		sess, ctx := off.session(t.Context())
		for id := range 50 {
			off.mustInsert(ctx, id)
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() { assert.NoError(t, sess.Commit(ctx)) })
			}
			both.Wait()
			assert.Len(t, db.kept(), id+1)
		}
	})
}

func TestA02_AutocommitOffWhileRowsAreOpen(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.mustInsert(t.Context(), 1)
		sess, ctx := db.session(t.Context())
		rows, err := db.executor.SQL().QueryContext(ctx, "SELECT id FROM t")
		require.NoError(t, err)
		require.ErrorIs(t, sess.SetAutocommit(false), atomic.ErrRowsOpen)
		require.NoError(t, rows.Close())
		require.NoError(t, sess.SetAutocommit(false))
		require.NoError(t, sess.Close())
	})
}
