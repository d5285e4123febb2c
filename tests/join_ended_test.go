package tests

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
