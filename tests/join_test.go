package tests

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Code on database/sql knows nothing of blocks and takes part in them by the ctx
// that it passes on.

func TestJoin_StatementsOfDatabaseSQL(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		insert, shared := db.wires.Rebind("INSERT INTO t (id, v) VALUES (?, ?)"), db.executor.SQL()
		prepared, err := shared.PrepareContext(t.Context(), insert) // before any block
		require.NoError(t, err)
		defer func() { _ = prepared.Close() }()
		work := func(ctx context.Context, id int) {
			_, err := shared.ExecContext(ctx, insert, id, 1)
			require.NoError(t, err)
			_, err = prepared.ExecContext(ctx, id+1, 1)
			require.NoError(t, err)
			own, err := shared.PrepareContext(ctx, insert)
			require.NoError(t, err)
			_, err = own.ExecContext(ctx, id+2, 1)
			require.NoError(t, err)
			require.NoError(t, own.Close())
			conn, err := shared.Conn(ctx)
			require.NoError(t, err)
			_, err = conn.ExecContext(ctx, insert, id+3, 1)
			require.NoError(t, err)
			require.NoError(t, conn.PingContext(ctx))
			require.NoError(t, conn.Close())
			require.NoError(t, shared.PingContext(ctx))
			var n int
			require.NoError(t, shared.QueryRowContext(ctx, db.wires.Rebind("SELECT count(*) FROM t WHERE id >= ?"), id).Scan(&n))
			assert.Equal(t, 4, n, "all of it sees all of it")
		}
		err = atomic.Do(t.Context(), db, func(ctx context.Context) error { work(ctx, 10); return errAsked })
		require.ErrorIs(t, err, errAsked)
		db.idle()
		assert.Empty(t, db.kept())
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error { work(ctx, 20); return nil }))
		work(t.Context(), 30)
		assert.Equal(t, []int{20, 21, 22, 23, 30, 31, 32, 33}, db.kept())
	})
}

// BeginTx in a block opens a nested block.
func TestJoin_ATransactionInABlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		insert, shared := db.wires.Rebind("INSERT INTO t (id, v) VALUES (?, 1)"), db.executor.SQL()
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			begin := func() *sql.Tx {
				tx, err := shared.BeginTx(ctx, nil)
				require.NoError(t, err)
				return tx
			}
			tx := begin()
			_, err := tx.ExecContext(ctx, insert, 1)
			require.NoError(t, err)
			require.ErrorIs(t, db.insert(ctx, 9), atomic.ErrOuterContext, "the transaction does not show in ctx")
			st, err := tx.PrepareContext(ctx, insert)
			require.NoError(t, err)
			_, err = st.ExecContext(ctx, 2)
			require.NoError(t, err)
			require.NoError(t, tx.Commit())
			require.ErrorIs(t, tx.Rollback(), sql.ErrTxDone)
			assert.Empty(t, db.kept(), "the commit is the block's")

			tx = begin()
			_, err = tx.ExecContext(ctx, insert, 3)
			require.NoError(t, err)
			require.NoError(t, tx.Rollback())

			tx = begin() // B6 holds in it, B7 after it
			_, err = tx.ExecContext(ctx, insert, 1)
			require.ErrorIs(t, err, dialect.ErrUniqueViolation)
			_, err = tx.ExecContext(ctx, insert, 4)
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			require.ErrorIs(t, tx.Commit(), atomic.ErrRollbackRequired)

			_, err = shared.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
			require.ErrorIs(t, err, atomic.ErrOption)
			_, err = shared.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
			require.ErrorIs(t, err, atomic.ErrOption)
			return db.insert(ctx, 5)
		}))
		db.idle()
		assert.Equal(t, []int{1, 2, 5}, db.kept())

		// One that is left open does not end up half in the block.
		var left *sql.Tx
		err := atomic.Do(t.Context(), db, func(ctx context.Context) (err error) {
			left, err = shared.BeginTx(ctx, nil)
			require.NoError(t, err)
			_, err = left.ExecContext(ctx, insert, 6)
			return err
		})
		require.ErrorIs(t, err, atomic.ErrOuterContext)
		require.Error(t, left.Commit())
		db.idle()
		assert.Equal(t, []int{1, 2, 5}, db.kept())
	})
}

// Outside, it is a block of its own that is ended by hand.
func TestJoin_ATransactionOutside(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx, shared := t.Context(), db.executor.SQL()
		insert := db.wires.Rebind("INSERT INTO t (id, v) VALUES (?, 1)")
		tx, err := shared.BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(ctx, insert, 1)
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		db.idle()

		tx, err = shared.BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(ctx, insert, 2)
		require.NoError(t, err)
		_, err = tx.ExecContext(ctx, insert, 1)
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.ErrorIs(t, tx.Commit(), atomic.ErrRollbackRequired, "MySQL alone would commit row 2")
		db.idle()

		tx, err = shared.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelSerializable})
		require.NoError(t, err)
		_, err = tx.ExecContext(ctx, insert, 3)
		require.ErrorIs(t, err, dialect.ErrReadOnly)
		require.NoError(t, tx.Rollback())

		limited, cancel := context.WithCancel(ctx)
		tx, err = shared.BeginTx(limited, nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(limited, insert, 4)
		require.NoError(t, err)
		cancel()
		db.settled()
		require.Error(t, tx.Commit())
		assert.Equal(t, []int{1}, db.kept())
	})
}

// A transaction and a block that opens inside it by the plain ctx have nothing to
// do with each other; with a pool of one that is an error and no deadlock.
func TestJoin_ABlockBesideATransaction(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		tx, err := db.executor.SQL().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error { return db.insert(ctx, 1) }))
		assert.Equal(t, []int{1}, db.kept())
		_, err = tx.ExecContext(t.Context(), db.wires.Rebind("INSERT INTO t (id, v) VALUES (?, 1)"), 2)
		require.NoError(t, err)
		require.NoError(t, tx.Rollback())
		assert.Equal(t, []int{1}, db.kept())
	})
}

// row is t for bun.
type row struct {
	bun.BaseModel `bun:"table:t"`

	ID int64 `bun:"id,pk"`
	V  int64 `bun:"v,notnull"`
}

func TestJoin_Bun(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		bunDB := bun.NewDB(db.executor.SQL(), db.executor.Database().Schema)
		add := func(ctx context.Context, on bun.IDB, id int64) error {
			_, err := on.NewInsert().Model(&row{ID: id, V: id}).Exec(ctx)
			return err
		}
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			require.NoError(t, add(ctx, bunDB, 1))
			var found row
			require.NoError(t, bunDB.NewSelect().Model(&found).Where("id = ?", 1).Scan(ctx))
			assert.EqualValues(t, 1, found.V)
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		assert.Empty(t, db.kept())

		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			require.NoError(t, add(ctx, bunDB, 1))
			require.NoError(t, bunDB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				return add(ctx, tx, 2)
			}))
			err := bunDB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				require.NoError(t, add(ctx, tx, 3))
				return add(ctx, tx, 1)
			})
			require.ErrorIs(t, err, dialect.ErrUniqueViolation)
			err = bunDB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				require.NoError(t, add(ctx, tx, 4))
				_ = add(ctx, tx, 1) // swallowed
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			assert.Empty(t, db.kept())
			// bun nests by sending SAVEPOINT itself (B24).
			require.NoError(t, bunDB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				require.ErrorIs(t, tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
					require.NoError(t, add(ctx, tx, 7))
					return add(ctx, tx, 1)
				}), dialect.ErrUniqueViolation)
				return tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return add(ctx, tx, 5) })
			}))
			return nil
		}))
		db.idle()
		assert.Equal(t, []int{1, 2, 5}, db.kept())

		require.NoError(t, bunDB.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error { return add(ctx, tx, 6) }))
		assert.Equal(t, []int{1, 2, 5, 6}, db.kept())
	})
}

// A ctx carries a block for each of several databases.
func TestJoin_SeveralDatabases(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		at := testdb.New(t, db.Engine)
		other := open(t, at, setup{})
		other.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			other.mustInsert(ctx, 1)
			assert.Equal(t, []int{1}, other.kept(), "in no block of its own")
			require.NoError(t, atomic.Do(ctx, other, func(ctx context.Context) error {
				other.mustInsert(ctx, 2)
				db.mustInsert(ctx, 2)
				assert.True(t, atomic.In(ctx, db) && atomic.In(ctx, other))
				return nil
			}))
			assert.Equal(t, []int{1, 2}, other.kept())
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		assert.Empty(t, db.kept())
		assert.Equal(t, []int{1, 2}, other.kept())
	})
}
