package proxy_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// A commit that got lost on its way, and one whose answer did, give the client
// the same error and differ on the server: what the rules on lost connections
// are tested with.
func TestLostCommitOnServers(t *testing.T) {
	t.Parallel()
	lose := func(t *testing.T, db testserver.Database, action proxy.Action) (rows int) {
		ctx := t.Context()
		_, err := db.Admin.ExecContext(ctx, "CREATE TABLE note (id INTEGER)")
		require.NoError(t, err)
		p := proxy.New(t, db.Addr)
		pool := through(t, db, p)
		conn, err := pool.Conn(ctx)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()

		tx, err := conn.BeginTx(ctx, nil)
		require.NoError(t, err)
		turns := p.During(func() {
			_, err = tx.ExecContext(ctx, "INSERT INTO note VALUES (1)")
			require.NoError(t, err)
		}).Turns
		assert.Equal(t, 1, turns)
		p.On("COMMIT", action)
		require.Error(t, tx.Commit())
		require.NoError(t, db.Admin.QueryRowContext(ctx, "SELECT COUNT(*) FROM note").Scan(&rows))
		return rows
	}
	t.Run("request", func(t *testing.T) {
		testserver.Each(t, func(t *testing.T, db testserver.Database) {
			assert.Equal(t, 0, lose(t, db, proxy.CutRequest))
		}, testserver.Servers()...)
	})
	t.Run("reply", func(t *testing.T) {
		testserver.Each(t, func(t *testing.T, db testserver.Database) {
			assert.Equal(t, 1, lose(t, db, proxy.CutReply))
		}, testserver.Servers()...)
	})
}

func through(t *testing.T, db testserver.Database, p *proxy.Proxy) *sql.DB {
	driver := "mysql"
	if db.Engine == testserver.Postgres {
		driver = "pgx"
	}
	pool, err := sql.Open(driver, db.Via(p.Addr()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	require.NoError(t, pool.PingContext(context.Background()))
	return pool
}
