package tests

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
)

// Every error of a block says which block it is about: its name, how deep, and
// where its Do stands. It tells what to do, and never what was in a row.
func TestErrorsSayWhichBlock(t *testing.T) {
	never := func(context.Context) error { return nil }
	each(t, func(t *testing.T, db *database) {
		trouble := map[error]func(outer, inner context.Context) error{
			atomic.ErrRollbackRequired: func(_, inner context.Context) error {
				_ = db.refused(inner)
				return db.insert(inner, secret)
			},
			atomic.ErrOuterContext: func(outer, _ context.Context) error { return db.insert(outer, secret) },
			atomic.ErrRowsOpen: func(_, inner context.Context) error {
				rows, err := db.executor.SQL().QueryContext(inner, "SELECT 1 UNION SELECT 2")
				require.NoError(t, err)
				require.True(t, rows.Next())
				err = db.insert(inner, secret)
				require.NoError(t, rows.Close())
				require.NoError(t, rows.Err())
				return err
			},
			atomic.ErrDurable: func(_, inner context.Context) error {
				return atomic.Do(inner, db, never, atomic.Durable(), atomic.Name("inner"))
			},
			atomic.ErrOption: func(_, inner context.Context) error {
				return atomic.Do(inner, db, never, atomic.Retry(1), atomic.Name("inner"))
			},
			atomic.ErrInBlock: func(_, inner context.Context) error {
				return atomic.Do(inner, db, never, atomic.Propagation(atomic.Never), atomic.Name("inner"))
			},
			atomic.ErrTransactionControl: func(_, inner context.Context) error { return db.exec(inner, "COMMIT") },
			atomic.ErrSavepointEnded: func(_, inner context.Context) error {
				sp, err := atomic.Savepoint(inner, db)
				require.NoError(t, err)
				require.NoError(t, sp.Release(inner))
				return sp.Rollback(inner)
			},
		}
		for kind, provoke := range trouble {
			var err error
			_ = atomic.Do(t.Context(), db, func(outer context.Context) error {
				return atomic.Do(outer, db, func(inner context.Context) error {
					err = provoke(outer, inner)
					return atomic.Rollback
				}, atomic.Name("inner"))
			}, atomic.Name("outer"))
			require.ErrorIs(t, err, kind)
			var about *atomic.BlockError
			require.ErrorAs(t, err, &about)
			assert.NotEmpty(t, about.Block.File, kind)
			assert.Regexp(t, `^holdfast: block "(inner|outer)" \(depth [123], words_test\.go:\d+\): `, err.Error())
			assert.NotContains(t, err.Error(), fmt.Sprint(secret))
			t.Log(err)
		}
	})
}
