package tests

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
)

// database/sql rolls a transaction back whose ctx ends, but on a goroutine of its own: by
// then its caller has long heard from Commit that it is over, and goes on.

// cancelled begins a transaction with a ctx inside ctx, inserts a row and has the ctx end.
func (db *database) cancelled(ctx context.Context, begin func(context.Context, *sql.TxOptions) (*sql.Tx, error), id int) *sql.Tx {
	db.t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	tx, err := begin(ctx, nil)
	require.NoError(db.t, err)
	_, err = tx.ExecContext(ctx, db.wires.Rebind("INSERT INTO t (id, v) VALUES (?, 1)"), id)
	require.NoError(db.t, err)
	cancel()
	return tx
}

// What a *sql.Conn sends after its transaction has ended is not a part of that.
func TestB11_AConnWhoseTransactionHasEnded(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for id := range 20 {
			conn, err := db.executor.SQL().Conn(t.Context())
			require.NoError(t, err)
			tx := db.cancelled(t.Context(), conn.BeginTx, 100)
			require.Error(t, tx.Commit())
			_, refused := conn.ExecContext(t.Context(), db.wires.Rebind("INSERT INTO t (id, v) VALUES (?, 1)"), id)
			_ = conn.Close()
			assert.Equal(t, refused == nil, len(db.kept()) > 0, "%v", refused)
			require.NoError(t, db.exec(t.Context(), "DELETE FROM t"))
		}
	})
}

// A block does not wait for the transaction inside it, nor is that left behind in it.
func TestB04_ATransactionWhoseCtxHasEnded(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		shared := db.executor.SQL()
		goesOn := map[string]func(context.Context) error{
			"a statement": func(ctx context.Context) error { return db.insert(ctx, 2) },
			"a block": func(ctx context.Context) error {
				return atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 2) })
			},
			"a hook":      func(ctx context.Context) error { return atomic.OnCommit(ctx, db, nothing) },
			"a wish":      func(ctx context.Context) error { return atomic.SetRollback(ctx, db, false) },
			"a savepoint": func(ctx context.Context) error { _, err := atomic.Savepoint(ctx, db); return err },
			"its end":     func(context.Context) error { return nil },
			"a transaction": func(ctx context.Context) error {
				tx, err := shared.BeginTx(ctx, nil)
				require.NoError(t, err)
				return tx.Commit()
			},
			"one that is over": func(ctx context.Context) error { _ = db.cancelled(ctx, shared.BeginTx, 102); return nil },
		}
		for name, next := range goesOn {
			for range 10 {
				require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
					db.mustInsert(ctx, 1)
					require.Error(t, db.cancelled(ctx, shared.BeginTx, 101).Commit())
					return next(ctx)
				}), name)
				assert.NotContains(t, db.kept(), 101, name)
				assert.Contains(t, db.kept(), 1, name)
				require.NoError(t, db.exec(t.Context(), "DELETE FROM t"))
			}
		}
		off := db.again(manual)
		sess, ctx := off.session(t.Context())
		for id := range 10 {
			off.mustInsert(ctx, id)
			require.Error(t, off.cancelled(ctx, off.executor.SQL().BeginTx, 101).Commit())
			require.NoError(t, sess.Commit(ctx))
		}
		require.NoError(t, sess.Close())
		assert.Len(t, db.kept(), 10)

		for id := range 10 { // one that has lent its connection
			sess, ctx := db.session(t.Context())
			require.Error(t, db.cancelled(ctx, shared.BeginTx, 101).Commit())
			require.NoError(t, db.insert(ctx, 200+id))
			require.Error(t, db.cancelled(ctx, shared.BeginTx, 101).Commit())
			require.NoError(t, sess.Close())
		}
		assert.Len(t, db.kept(), 20)
	})
}

// A block that ends when the one around it is long gone leaves alone what has come in its
// place.
func TestB10_ABlockThatEndsLate(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		leave, left := make(chan struct{}), make(chan struct{})
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1, 2, 3)
			opened := make(chan struct{})
			require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				go func() {
					defer close(left)
					assert.ErrorIs(t, atomic.Do(ctx, db, func(context.Context) error {
						close(opened)
						<-leave
						return nil
					}), atomic.ErrBlockClosed)
				}()
				<-opened
				return nil
			}), atomic.ErrOuterContext)
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				return atomic.Do(ctx, db, func(ctx context.Context) error {
					rows, err := db.executor.SQL().QueryContext(ctx, "SELECT id FROM t")
					require.NoError(t, err)
					require.True(t, rows.Next())
					close(leave)
					<-left
					require.True(t, rows.Next(), "%v", rows.Err())
					return rows.Close()
				})
			})
		}))
	})
}
