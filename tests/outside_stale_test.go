package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A connection that has died in the pool: the first statement of a block finds
// another, because its transaction died with it. A statement outside does so only
// if nothing was sent.
func TestS06_StaleConnections(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for what, end := range map[string]func(far *database, p *proxy.Proxy, ids []int64){
			"ended by the server": func(far *database, _ *proxy.Proxy, ids []int64) {
				for _, id := range ids {
					far.kill(id)
				}
			},
			"cut on the network": func(far *database, p *proxy.Proxy, ids []int64) {
				p.Cut()
				for _, id := range ids {
					far.gone(id)
				}
			},
		} {
			far, p := db.distant(setup{})
			// The pool has three connections, all stale.
			stale := func() {
				var ids []int64
				within(t.Context(), far, 3, func(ctx context.Context) { ids = append(ids, far.id(ctx)) })
				end(far, p, ids)
			}
			stale()
			require.NoError(t, atomic.Do(t.Context(), far, func(ctx context.Context) error { return far.insert(ctx, 1, 2) }), what)
			assert.Equal(t, []int{1, 2}, db.kept(), what)

			stale()
			require.NoError(t, atomic.Do(t.Context(), far, func(ctx context.Context) error {
				n, err := far.count(ctx)
				assert.EqualValues(t, 2, n, what)
				return err
			}, atomic.ReadOnly()), what)

			stale()
			for id := 10; id < 16; id++ {
				if err := far.insert(t.Context(), id); err == nil {
					assert.True(t, db.has(id), what)
				} else {
					require.ErrorIs(t, err, atomic.ErrOutcomeUnknown, what)
				}
			}
			require.NoError(t, far.insert(t.Context(), 16), what)
			db.arrange("DELETE FROM t")
		}
	}, testdb.Servers()...)
}

// What PostgreSQL says to a session that was idle for too long, it says instead of reading
// on: the statement is sent again by another connection.
func TestS06_ASessionThatWasIdle(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		// So long that a new connection is in use by then.
		set := "ALTER DATABASE " + db.Name + " SET idle_session_timeout = '500ms'"
		if db.executor.Database().Server.Version.Major < 14 { // with which the setting came
			_, err := db.Admin.Exec(set)
			require.ErrorContains(t, err, "unrecognized configuration parameter")
			return
		}
		one := db.again(setup{pool: 1})
		db.arrange(set)
		one.pool().SetMaxIdleConns(0) // opened before, it knows of no limit
		one.pool().SetMaxIdleConns(1)
		idle := func() {
			var id int64
			within(t.Context(), one, 1, func(ctx context.Context) { id = one.id(ctx) })
			db.gone(id)
		}
		idle()
		require.NoError(t, one.insert(t.Context(), 1))
		idle()
		require.NoError(t, atomic.Do(t.Context(), one, func(ctx context.Context) error { return one.insert(ctx, 2) }))
		idle()
		n, err := one.count(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
		assert.Equal(t, []int{1, 2}, db.kept())
	}, testdb.Postgres)
}

// within opens n blocks at once, each with a connection of its own.
func within(ctx context.Context, db *database, n int, do func(ctx context.Context)) {
	db.t.Helper()
	require.NoError(db.t, atomic.Do(ctx, db, func(ctx context.Context) error {
		do(ctx)
		if n > 1 {
			within(ctx, db, n-1, do)
		}
		return nil
	}, atomic.Propagation(atomic.Independent)))
}

// The same for a connection that was opened and has not been used yet.
func TestS06_AStaleConnectionThatWasNeverUsed(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		far, p := db.distant(setup{})
		require.NoError(t, far.executor.SQL().PingContext(t.Context()))
		p.Cut()
		require.NoError(t, atomic.Do(t.Context(), far, func(ctx context.Context) error { return far.insert(ctx, 1) }))
		assert.Equal(t, []int{1}, db.kept())
	}, testdb.Servers()...)
}
