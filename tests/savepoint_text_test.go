package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
)

// A library on database/sql that nests by texts has savepoints of its block: marks,
// hooks and names are those of B24, and nothing is sent for them alone.
func TestB24_SavepointsAsTexts(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var d diary
		work := func(ctx context.Context, exec func(text string) error) {
			require.NoError(t, exec("SAVEPOINT sp"))
			db.wires.take()
			require.NoError(t, exec("savepoint other;"))
			assert.Empty(t, db.wires.take())
			require.NoError(t, exec("INSERT INTO t (id, v) VALUES (2, 2)"))
			require.Error(t, exec("INSERT INTO t (id, v) VALUES (3, NULL)"))
			require.ErrorIs(t, exec("INSERT INTO t (id, v) VALUES (3, 3)"), atomic.ErrRollbackRequired)
			require.ErrorIs(t, exec("RELEASE SAVEPOINT other"), atomic.ErrRollbackRequired)
			require.NoError(t, exec("ROLLBACK TO SAVEPOINT other"))
			require.NoError(t, exec("INSERT INTO t (id, v) VALUES (4, 4)"))
			require.NoError(t, exec("RELEASE SAVEPOINT OTHER"), "names without quotes have no case")
			require.ErrorIs(t, exec("ROLLBACK TO other"), atomic.ErrSavepointEnded)
			// One of the same name hides the earlier one.
			require.NoError(t, exec("SAVEPOINT sp"))
			require.NoError(t, exec("INSERT INTO t (id, v) VALUES (5, 5)"))
			require.NoError(t, exec("ROLLBACK TO sp"))
			require.NoError(t, exec("/* the inner */ RELEASE sp;"))
			require.NoError(t, exec("RELEASE SAVEPOINT sp"))
			require.ErrorIs(t, exec("RELEASE SAVEPOINT sp"), atomic.ErrTransactionControl)
		}
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			work(ctx, func(text string) error { return db.exec(ctx, text) })
			require.NoError(t, db.exec(ctx, "SAVEPOINT hooks"))
			d.both(ctx, t, db, "undone")
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				require.ErrorIs(t, db.exec(ctx, "ROLLBACK TO hooks"), atomic.ErrSavepointEnded, "that of another block")
				return nil
			}))
			return db.exec(ctx, "ROLLBACK TO hooks")
		}))
		assert.Equal(t, []int{1, 4}, db.kept())
		assert.Equal(t, []string{"-undone"}, d.take())

		// In a transaction of database/sql, and in a session.
		db.arrange("DELETE FROM t")
		tx, err := db.executor.SQL().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		work(t.Context(), func(text string) error { _, err := tx.ExecContext(t.Context(), text); return err })
		require.NoError(t, tx.Commit())
		assert.Equal(t, []int{4}, db.kept())
		db.arrange("DELETE FROM t")
		off := db.again(manual)
		sess, ctx := off.session(t.Context())
		work(ctx, func(text string) error { return off.exec(ctx, text) })
		require.NoError(t, sess.Commit(ctx))
		assert.Equal(t, []int{4}, db.kept())
	})
}
