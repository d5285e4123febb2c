package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

var manual = setup{Settings: block.Settings{ManualCommit: true}}

func (db *database) session(ctx context.Context) (*atomic.Session, context.Context) {
	db.t.Helper()
	sess, ctx, err := atomic.OpenSession(ctx, db)
	require.NoError(db.t, err)
	db.t.Cleanup(func() { _ = sess.Close() })
	return sess, ctx
}

// Each new connection is in autocommit, whatever the server's default. Only MySQL
// and MariaDB have such a default; TestA01_OnAServerWithAutocommitOff runs the
// whole suite on one where it is off.
func TestA01_AutocommitIsOn(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		db.mustInsert(ctx, 1)
		assert.Equal(t, []int{1}, db.kept(), "committed by itself")
		tx, err := db.executor.SQL().BeginTx(ctx, nil)
		require.NoError(t, err)
		require.NoError(t, tx.Rollback())
		if db.Engine != testdb.MySQL && db.Engine != testdb.MariaDB {
			return
		}
		for range 3 {
			held, err := db.executor.SQL().Conn(ctx)
			require.NoError(t, err)
			rows, err := held.QueryContext(ctx, "SELECT @@autocommit") // keeps the connection busy
			require.NoError(t, err)
			require.True(t, rows.Next())
			var on int
			require.NoError(t, rows.Scan(&on))
			assert.Equal(t, 1, on)
			t.Cleanup(func() { _, _ = rows.Close(), held.Close() })
		}
		for _, off := range []string{"autocommit=0", "autocommit=false"} {
			_, err := testdb.Source(db.Engine, db.DSN+"?"+off).Connect(ctx)
			var refused *dialect.OpenError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "autocommit", refused.Setting)
		}
	})
}

func TestA02_WithoutASession(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		off := db.again(manual)
		off.wires.take()
		require.ErrorIs(t, off.insert(t.Context(), 1), atomic.ErrNoSession)
		_, err := off.count(t.Context())
		require.ErrorIs(t, err, atomic.ErrNoSession)
		assert.Empty(t, off.wires.take())
		// A block is a transaction of its own, as ever.
		require.NoError(t, atomic.Do(t.Context(), off, func(ctx context.Context) error { return off.insert(ctx, 2) }))
		assert.Equal(t, []int{2}, db.kept())
	})
}

func TestA02_NothingIsKeptWithoutCommit(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		off := db.again(manual)
		sess, ctx := off.session(t.Context())
		off.idle()
		assert.False(t, sess.Autocommit())
		off.mustInsert(ctx, 1)
		off.mustInsert(ctx, 2)
		assert.Equal(t, 1, off.pool().Stats().InUse, "one connection is pinned")
		n, err := off.count(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
		assert.Empty(t, db.kept())
		require.NoError(t, sess.Commit(ctx))
		assert.Equal(t, []int{1, 2}, db.kept())

		off.mustInsert(ctx, 3)
		require.NoError(t, sess.Rollback(ctx))
		off.mustInsert(ctx, 4)
		require.NoError(t, sess.Commit(ctx))
		require.NoError(t, sess.Commit(ctx), "nothing to commit")
		require.NoError(t, sess.Close())
		require.NoError(t, sess.Close())
		off.idle()
		assert.Equal(t, []int{1, 2, 4}, db.kept())
		require.ErrorIs(t, off.insert(ctx, 5), atomic.ErrSessionClosed)
		require.ErrorIs(t, sess.Commit(ctx), atomic.ErrSessionClosed)
	})
}

// A refused statement marks the session's transaction as it does a block.
func TestA02_NothingIsSwallowedInASession(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		off := db.again(manual)
		sess, ctx := off.session(t.Context())
		off.mustInsert(ctx, 1)
		off.mustRefuse(ctx)
		require.ErrorIs(t, off.insert(ctx, 2), atomic.ErrRollbackRequired)
		require.ErrorIs(t, sess.Commit(ctx), atomic.ErrRollbackRequired)
		off.mustInsert(ctx, 3)
		require.ErrorIs(t, off.exec(ctx, "COMMIT"), atomic.ErrTransactionControl)
		require.NoError(t, sess.Commit(ctx))
		require.NoError(t, sess.Close())
		assert.Equal(t, []int{3}, db.kept())
	})
}

func TestA03_CloseWithUncommittedWork(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		off := db.again(manual)
		sess, ctx := off.session(t.Context())
		off.mustInsert(ctx, 1)
		var d diary
		d.both(ctx, t, off, "hook")
		require.ErrorIs(t, sess.Close(), atomic.ErrUncommitted)
		assert.Equal(t, []string{"-hook"}, d.take())
		off.idle()
		assert.Empty(t, db.kept())

		// Having only read is no loss; the library's own SELECT is known to.
		sess, ctx = off.session(t.Context())
		require.NoError(t, off.executor.Query(ctx, block.Statement{SQL: "SELECT id FROM t", Built: true}, readNothing))
		require.NoError(t, sess.Close())
		// Nor is a session in which nothing was done, or all was committed.
		sess, _ = off.session(t.Context())
		require.NoError(t, sess.Close())
		sess, ctx = off.session(t.Context())
		off.mustInsert(ctx, 2)
		require.NoError(t, sess.Commit(ctx))
		require.NoError(t, sess.Close())
		off.idle()
		assert.Equal(t, []int{2}, db.kept())
	})
}

func TestA04_ABlockInASession(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		off := db.again(manual)
		sess, ctx := off.session(t.Context())
		var d diary
		off.mustInsert(ctx, 1)
		require.NoError(t, atomic.Do(ctx, off, func(ctx context.Context) error {
			d.both(ctx, t, off, "kept")
			return off.insert(ctx, 2)
		}))
		assert.Empty(t, db.kept(), "the commit is the session's")
		err := atomic.Do(ctx, off, func(ctx context.Context) error {
			d.both(ctx, t, off, "undone")
			off.mustInsert(ctx, 3)
			return off.refused(ctx)
		})
		require.ErrorIs(t, err, dialect.ErrNotNullViolation)
		off.mustInsert(ctx, 4) // the session is clean
		assert.Empty(t, d.take())
		require.NoError(t, sess.Commit(ctx))
		assert.Equal(t, []string{"+kept", "-undone"}, d.take())
		assert.Equal(t, []int{1, 2, 4}, db.kept())

		require.ErrorIs(t, atomic.Do(ctx, off, func(context.Context) error { return nil }, atomic.Durable()), atomic.ErrDurable)
		require.ErrorIs(t, atomic.Do(ctx, off, func(context.Context) error { return nil }, atomic.Retry(1)), atomic.ErrOption)
		require.NoError(t, sess.Close())
	})
}

// A session with autocommit on pins a connection; a block in it is a transaction
// of its own there.
func TestA04_ASessionWithAutocommitOn(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		sess, ctx := db.session(t.Context())
		assert.True(t, sess.Autocommit())
		db.mustInsert(ctx, 1)
		assert.Equal(t, []int{1}, db.kept())
		require.NoError(t, db.exec(ctx, "CREATE TEMPORARY TABLE own (id INTEGER)"))
		require.NoError(t, atomic.Do(ctx, db, func(inner context.Context) error {
			require.NoError(t, db.exec(inner, "INSERT INTO own (id) VALUES (1)"), "the same connection")
			require.ErrorIs(t, db.insert(ctx, 9), atomic.ErrOuterContext)
			return db.insert(inner, 2)
		}, atomic.Durable()))
		assert.Equal(t, []int{1, 2}, db.kept())
		require.ErrorIs(t, sess.Commit(ctx), atomic.ErrOption)
		require.NoError(t, sess.Close())
		assert.Zero(t, db.pool().Stats().InUse)
		require.Error(t, db.exec(t.Context(), "SELECT id FROM own"), "its temporary table has gone with it")
	})
}

func TestA05_RefusedInsideABlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		off := db.again(manual)
		for _, on := range []bool{false, true} {
			sess, ctx := off.session(t.Context())
			require.NoError(t, sess.SetAutocommit(on))
			require.NoError(t, atomic.Do(ctx, off, func(ctx context.Context) error {
				off.mustInsert(ctx, 1)
				require.ErrorIs(t, sess.SetAutocommit(!on), atomic.ErrInBlock)
				require.ErrorIs(t, sess.Commit(ctx), atomic.ErrInBlock)
				require.ErrorIs(t, sess.Rollback(ctx), atomic.ErrInBlock)
				require.ErrorIs(t, sess.Close(), atomic.ErrInBlock)
				_, _, err := atomic.OpenSession(ctx, off)
				require.ErrorIs(t, err, atomic.ErrInBlock)
				assert.False(t, atomic.NeedsRollback(ctx, off))
				return off.insert(ctx, 2)
			}))
			if !on {
				require.NoError(t, sess.Commit(ctx))
			}
			require.NoError(t, sess.Close())
			assert.Equal(t, []int{1, 2}, db.kept())
			require.NoError(t, db.exec(t.Context(), "DELETE FROM t"))
		}
	})
}

func TestA05_SetAutocommit(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		sess, ctx := db.session(t.Context())
		require.NoError(t, sess.SetAutocommit(false))
		db.mustInsert(ctx, 1)
		require.ErrorIs(t, sess.SetAutocommit(true), atomic.ErrUncommitted)
		assert.Empty(t, db.kept())
		require.NoError(t, sess.Commit(ctx))
		require.NoError(t, sess.SetAutocommit(true))
		db.mustInsert(ctx, 2)
		assert.Equal(t, []int{1, 2}, db.kept())
		require.NoError(t, sess.SetAutocommit(false))
		db.mustInsert(ctx, 3)
		require.NoError(t, sess.Rollback(ctx))
		require.NoError(t, sess.SetAutocommit(true))
		require.NoError(t, sess.Close())
		require.ErrorIs(t, sess.SetAutocommit(false), atomic.ErrSessionClosed)
		assert.Equal(t, []int{1, 2}, db.kept())
	})
}

// A session lives on its connection: when that is lost, so are the session's
// settings, and it does not go on with another as if nothing had happened.
func TestA02_TheSessionsConnectionIsLost(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, on := range []bool{false, true} {
			sess, ctx := db.session(t.Context())
			require.NoError(t, sess.SetAutocommit(on))
			db.mustInsert(ctx, 1)
			db.kill(db.id(ctx))
			require.ErrorIs(t, db.insert(ctx, 2), dialect.ErrConnectionLost)
			require.Error(t, db.insert(ctx, 3))
			if !on {
				require.Error(t, sess.Commit(ctx))
				require.ErrorIs(t, db.insert(ctx, 4), dialect.ErrConnectionLost)
			}
			_ = sess.Close()
			db.idle()
			want := map[bool][]int{false: {}, true: {1}}[on]
			assert.Equal(t, want, db.kept())
		}
	}, testdb.Servers()...)
}

// Another attempt of a block would run on another connection, where nobody has said whose rows
// it may see: there is none.
func TestS06_NoOtherAttemptWithoutTheSessionsSettings(t *testing.T) {
	tenants := map[testdb.Engine]struct{ set, read string }{
		testdb.SQLite:   {"PRAGMA cache_size = -7", "PRAGMA cache_size"},
		testdb.MySQL:    {"SET @tenant = -7", "SELECT COALESCE(@tenant, 0)"},
		testdb.MariaDB:  {"SET @tenant = -7", "SELECT COALESCE(@tenant, 0)"},
		testdb.Postgres: {"SET holdfast.tenant = '-7'", "SELECT COALESCE(NULLIF(current_setting('holdfast.tenant', true), ''), '0')::int"},
	}
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		tenant, id := tenants[db.Engine], 0
		attempt := func(far *database, meanwhile func(ctx context.Context), kept bool, opts ...atomic.Option) {
			t.Helper()
			id++
			sess, ctx := far.session(t.Context())
			require.NoError(t, far.exec(ctx, tenant.set))
			attempts := 0
			err := atomic.Do(ctx, far, func(ctx context.Context) error {
				attempts++
				of, err := far.number(ctx, tenant.read)
				require.NoError(t, err)
				assert.EqualValues(t, -7, of)
				if err := far.insert(ctx, id); err != nil {
					return err
				}
				meanwhile(ctx)
				return far.insert(ctx, 1000+id)
			}, opts...)
			assert.Equal(t, 1, attempts)
			if kept {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, dialect.ErrConnectionLost)
				require.ErrorContains(t, err, "open another session")
			}
			require.ErrorIs(t, far.insert(ctx, 5000), dialect.ErrConnectionLost)
			require.NoError(t, sess.Close())
			far.settled()
			assert.Equal(t, kept, db.has(id))
			assert.Equal(t, kept, db.has(1000+id))
		}
		if db.Engine != testdb.SQLite {
			attempt(db, func(ctx context.Context) { db.kill(db.id(ctx)) }, false, atomic.RetryPolicy{Max: 3, Connection: true})
		}
		db.eachLoss(setup{}, func(l loss, far *database) {
			attempt(far, func(context.Context) {}, l.done, atomic.ResolveCommit(), atomic.Retry(3))
		})
	})
}
