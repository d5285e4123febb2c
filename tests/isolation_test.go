package tests

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/seam"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestB22_ReadOnlyIsEnforcedByTheServer(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		for _, write := range []string{"INSERT INTO t (id, v) VALUES (2, 2)", "UPDATE t SET v = 2", "DELETE FROM t"} {
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				n, err := db.count(ctx)
				require.NoError(t, err)
				assert.EqualValues(t, 1, n)
				nested := atomic.Do(ctx, db, func(ctx context.Context) error { return db.exec(ctx, write) })
				require.ErrorIs(t, nested, dialect.ErrReadOnly, write)
				_, err = db.count(ctx) // the outer goes on
				return err
			}, atomic.ReadOnly())
			require.NoError(t, err, write)
		}
		db.idle()
		require.NoError(t, db.insert(t.Context(), 3), "and the connection can write again")
		assert.Equal(t, []int{1, 3}, db.kept())
	})
}

// Nothing in a block takes back that it only reads.
func TestB22_ReadOnlyIsNotTakenBack(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		back := map[testdb.Engine][]string{
			testdb.SQLite:   {"PRAGMA query_only = 0", "PRAGMA main.query_only(0)", `PRAGMA "query_only" = off`},
			testdb.Postgres: {"SET transaction_read_only = off", "SET LOCAL transaction_read_only = off", "SELECT set_config('transaction_read_only', 'off', true)"},
			testdb.MySQL:    {"SET TRANSACTION READ WRITE", "SET SESSION TRANSACTION READ WRITE", "SET SESSION transaction_read_only = 0"},
			testdb.MariaDB:  {"SET TRANSACTION READ WRITE", "SET SESSION TRANSACTION READ WRITE", "SET SESSION tx_read_only = 0"},
		}
		for _, text := range back[db.Engine] {
			require.Error(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				return errors.Join(db.exec(ctx, text), db.insert(ctx, 1))
			}, atomic.ReadOnly()), text)
		}
		assert.Empty(t, db.kept())
	})
}

func TestB22_OneConsistentSnapshot(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			for range 2 {
				n, err := db.count(ctx)
				require.NoError(t, err)
				assert.EqualValues(t, 1, n)
				v, err := db.number(ctx, "SELECT v FROM t WHERE id = 1")
				require.NoError(t, err)
				assert.EqualValues(t, 1, v)
				db.arrange("DELETE FROM t WHERE id = 2", "INSERT INTO t (id, v) VALUES (2, 2)", "UPDATE t SET v = v + 1 WHERE id = 1")
			}
			return nil
		}, atomic.ReadOnly(), atomic.Isolation(sql.LevelRepeatableRead)))
		assert.Equal(t, 3, db.value(1))
	})
}

// A level reaches the server: what a block reads twice is the same or not.
// Without the option it is the server's default (S8), or the database's. SQLite
// has one level, the strongest.
func TestB22_IsolationLevels(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		committed, repeatable := atomic.Isolation(sql.LevelReadCommitted), atomic.Isolation(sql.LevelRepeatableRead)
		own := db.again(setup{Settings: block.Settings{Block: seam.Options{Isolation: sql.LevelReadCommitted}}})
		byDefault := db.Engine != testdb.Postgres // REPEATABLE READ is MySQL's
		for _, c := range []struct {
			what   string
			on     *database
			opts   []atomic.Option
			stable bool
		}{
			{"READ COMMITTED", db, []atomic.Option{committed}, false},
			{"REPEATABLE READ", db, []atomic.Option{repeatable}, true},
			{"the server's default", db, nil, byDefault},
			{"the database's default", own, nil, false},
			{"the block's before the database's", own, []atomic.Option{repeatable}, true},
		} {
			require.NoError(t, db.exec(t.Context(), "DELETE FROM t"))
			require.NoError(t, atomic.Do(t.Context(), c.on, func(ctx context.Context) error {
				before, err := c.on.count(ctx)
				require.NoError(t, err, c.what)
				db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
				now, err := c.on.count(ctx)
				require.NoError(t, err, c.what)
				assert.Equal(t, c.stable, before == now, c.what)
				return nil
			}, c.opts...))
		}
	}, testdb.Servers()...)
}

// What the server cannot do is refused before anything is sent. SQLite has every
// level, by having the strongest.
func TestB22_LevelsThatAServerDoesNotHave(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		opts := []atomic.Option{atomic.Isolation(sql.LevelLinearizable)}
		if db.Engine != testdb.Postgres {
			opts = append(opts, atomic.Deferrable(), atomic.Isolation(sql.LevelSnapshot))
		}
		for _, option := range opts {
			db.wires.take()
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error { return db.insert(ctx, 1) }, option)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			assert.Empty(t, db.wires.take())
			db.idle()
		}
		assert.Empty(t, db.kept())
	}, testdb.Servers()...)
}

// A serializable read-only block that cannot fail: PostgreSQL waits for a
// snapshot that allows it, and SQLite has no other.
func TestB22_Deferrable(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			if db.Engine == testdb.Postgres {
				assert.Equal(t, "on", db.setting(ctx, "transaction_deferrable"))
				assert.Equal(t, "serializable", db.setting(ctx, "transaction_isolation"))
			}
			_, err := db.count(ctx)
			return err
		}, atomic.Deferrable()))
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error { return db.insert(ctx, 1) }, atomic.Deferrable())
		require.ErrorIs(t, err, dialect.ErrReadOnly)
	}, testdb.Postgres, testdb.SQLite)
}
