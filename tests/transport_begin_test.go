package tests

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A transaction that the server does not begin: nothing of the block has run,
// the error says what was refused, and the connection is not used again.

// account is a user of the database alone, without an administrator's rights.
type account struct{ name, dsn string }

// account makes one with a limit, in the server's words; "" is none. It goes
// with the test.
func (db *database) account(limit string) account {
	db.t.Helper()
	a := account{name: strings.Replace(db.Name, "hf_", "hfa_", 1)}
	if db.Engine == testdb.Postgres {
		db.arrange("CREATE ROLE "+a.name+" LOGIN PASSWORD 'limited' "+limit, "GRANT ALL ON t TO "+a.name)
		db.t.Cleanup(func() { db.arrange("DROP OWNED BY "+a.name, "DROP ROLE "+a.name) })
		at, err := url.Parse(db.DSN)
		require.NoError(db.t, err)
		at.User = url.UserPassword(a.name, "limited")
		a.dsn = at.String()
		return a
	}
	db.arrange("CREATE USER "+a.name+" IDENTIFIED BY 'limited' "+limit, "GRANT ALL ON "+db.Name+".* TO "+a.name)
	db.t.Cleanup(func() { db.arrange("DROP USER " + a.name) })
	config, err := mysql.ParseDSN(db.DSN)
	require.NoError(db.t, err)
	config.User, config.Passwd = a.name, "limited"
	a.dsn = config.FormatDSN()
	return a
}

// eachAccount runs a test on each server, with a database that was opened by an
// account with a limit.
func eachAccount(t *testing.T, limits map[testdb.Engine]string, test func(t *testing.T, db, limited *database, a account)) {
	t.Helper()
	engines := []testdb.Engine{}
	for _, engine := range testdb.Servers() {
		if _, has := limits[engine]; has {
			engines = append(engines, engine)
		}
	}
	each(t, func(t *testing.T, db *database) {
		a := db.account(limits[db.Engine])
		test(t, db, db.again(setup{dsn: a.dsn}), a)
	}, engines...)
}

// refusesToBegin is a block whose first statement is expected to fail; code is the
// server's.
func (db *database) refusesToBegin(code string, opts ...atomic.Option) error {
	db.t.Helper()
	err := atomic.Do(db.t.Context(), db, func(ctx context.Context) error {
		require.Error(db.t, db.insert(ctx, 1))
		require.ErrorIs(db.t, db.insert(ctx, 2), atomic.ErrRollbackRequired)
		require.ErrorIs(db.t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 3) }), atomic.ErrRollbackRequired)
		return nil // swallowed
	}, opts...)
	db.idle()
	require.ErrorIs(db.t, err, atomic.ErrRollbackRequired)
	var refused *dialect.Error
	require.ErrorAs(db.t, err, &refused)
	assert.Equal(db.t, code, refused.Code, "%v", err)
	return err
}

// The server has no connection left for this account.
func TestB13_ABlockWithoutAConnection(t *testing.T) {
	eachAccount(t, map[testdb.Engine]string{
		testdb.Postgres: "CONNECTION LIMIT 1",
		testdb.MySQL:    "WITH MAX_USER_CONNECTIONS 1",
		testdb.MariaDB:  "WITH MAX_USER_CONNECTIONS 1",
	}, func(t *testing.T, db, limited *database, _ account) {
		code := map[testdb.Engine]string{testdb.Postgres: "53300", testdb.MySQL: "1226", testdb.MariaDB: "1226"}[db.Engine]
		// Open has closed a connection of its own, which the server may still count.
		eventually(t, "there is room for the one", func() bool { return limited.insert(t.Context(), 9) == nil })
		require.NoError(t, atomic.Do(t.Context(), limited, func(ctx context.Context) error {
			limited.mustInsert(ctx, 10)
			limited.wires.take()
			err := atomic.Do(context.WithoutCancel(t.Context()), limited, func(ctx context.Context) error { return limited.insert(ctx, 1) })
			require.Error(t, err)
			var refused *dialect.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, code, refused.Code)
			assert.Empty(t, limited.wires.take(), "nothing was sent")
			assert.Equal(t, 1, limited.pool().Stats().OpenConnections)
			return limited.insert(ctx, 11)
		}))
		limited.idle()
		assert.Equal(t, []int{9, 10, 11}, db.kept())
		limited.mustInsert(t.Context(), 12) // the one connection is as good as before
	})
}

// MySQL and MariaDB count what an account sends, and refuse BEGIN like any other
// statement. One that came after it would commit by itself.
func TestB13_BeginIsRefused(t *testing.T) {
	limit := fmt.Sprint("WITH MAX_QUERIES_PER_HOUR ", allowance)
	eachAccount(t, map[testdb.Engine]string{testdb.MySQL: limit, testdb.MariaDB: limit}, func(t *testing.T, db, limited *database, _ account) {
		for _, c := range []struct {
			opts    []atomic.Option
			ahead   int // statements that come before the one that is refused
			refused string
		}{
			{nil, 0, "BEGIN"},
			{[]atomic.Option{atomic.ReadOnly()}, 0, "START TRANSACTION READ ONLY"},
			{[]atomic.Option{atomic.Isolation(sql.LevelSerializable)}, 0, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"},
			// What SET TRANSACTION has said would hold for whatever comes next.
			{[]atomic.Option{atomic.Isolation(sql.LevelSerializable)}, 1, "BEGIN"},
		} {
			used := limited.id(t.Context())
			limited.spend(c.ahead)
			err := limited.refusesToBegin("1226", c.opts...)
			assert.ErrorContains(t, err, c.refused+" was refused")
			assert.Empty(t, db.kept())
			assert.Zero(t, limited.pool().Stats().OpenConnections, "the connection is closed")
			db.gone(used)

			db.arrange("FLUSH USER_RESOURCES")
			require.NoError(t, atomic.Do(t.Context(), limited, func(ctx context.Context) error {
				assert.NotEqual(t, used, limited.id(ctx))
				return limited.insert(ctx, 1)
			}))
			assert.Equal(t, []int{1}, db.kept())
			db.arrange("DELETE FROM t")
		}
	})
}

const allowance = 40 // statements an hour

// spend uses up what the account may send on its one connection, but for so
// many statements.
func (db *database) spend(left int) {
	db.t.Helper()
	db.arrange("FLUSH USER_RESOURCES")
	for range allowance - left {
		require.NoError(db.t, db.exec(db.t.Context(), "DO 0"))
	}
	require.Equal(db.t, 1, db.pool().Stats().OpenConnections)
}

// In offline_mode MySQL hangs up on all but its administrators and lets none in.
func TestB13_AServerThatGoesOffline(t *testing.T) {
	t.Parallel()
	db := &database{Database: testdb.NewServer(t, testdb.MySQL).New(t), t: t}
	db.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
	limited := open(t, db.Database, setup{dsn: db.account("").dsn})
	offline := func(used int64) {
		db.arrange("SET GLOBAL offline_mode = ON")
		db.gone(used)
	}

	offline(limited.id(t.Context())) // between two blocks
	_ = limited.refusesToBegin("3032")
	assert.Zero(t, limited.pool().Stats().OpenConnections)
	db.arrange("SET GLOBAL offline_mode = OFF")
	assert.Empty(t, db.kept())

	err := atomic.Do(t.Context(), limited, func(ctx context.Context) error { // within one
		limited.mustInsert(ctx, 1)
		offline(limited.id(ctx))
		require.ErrorIs(t, limited.insert(ctx, 2), dialect.ErrConnectionLost)
		require.ErrorIs(t, limited.insert(ctx, 3), atomic.ErrRollbackRequired)
		return nil
	})
	require.ErrorIs(t, err, dialect.ErrConnectionLost)
	limited.idle()
	assert.Zero(t, limited.pool().Stats().OpenConnections)
	db.arrange("SET GLOBAL offline_mode = OFF")
	assert.Empty(t, db.kept())
	limited.mustInsert(t.Context(), 4)
	assert.Equal(t, []int{4}, db.kept())
}

// A standby has no serializable transactions, and none that writes. BEGIN is
// refused there for what it asks.
func TestDesign6_BeginIsRefusedByAStandby(t *testing.T) {
	t.Parallel()
	db := &database{Database: testdb.NewServer(t, testdb.Postgres).New(t), t: t}
	db.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)", "INSERT INTO t VALUES (7, 7)")
	standby := open(t, db.Database, setup{dsn: db.Via(db.standby())})

	used := standby.id(t.Context())
	err := standby.refusesToBegin("0A000", atomic.Isolation(sql.LevelSerializable))
	assert.ErrorContains(t, err, "BEGIN ISOLATION LEVEL SERIALIZABLE was refused")
	assert.Zero(t, standby.pool().Stats().OpenConnections, "the connection is closed")
	assert.NotEqual(t, used, standby.id(t.Context()))

	require.NoError(t, atomic.Do(t.Context(), standby, func(ctx context.Context) error {
		n, err := standby.count(ctx)
		assert.EqualValues(t, 1, n)
		return err
	}))
	err = atomic.Do(t.Context(), standby, func(ctx context.Context) error { return standby.insert(ctx, 1) })
	require.ErrorIs(t, err, dialect.ErrReadOnly)
	standby.idle()
	assert.Equal(t, []int{7}, db.kept())
}

// standby starts a standby of the server, in the same container, and returns
// its address. It wants settings that are not below the primary's.
func (db *database) standby() (addr string) {
	db.t.Helper()
	var bin, flags string
	require.NoError(db.t, db.Admin.QueryRowContext(db.t.Context(), `SELECT
		(SELECT setting FROM pg_config WHERE name = 'BINDIR'),
		(SELECT string_agg('-c ' || name || '=' || setting, ' ') FROM pg_settings WHERE name IN
			('max_connections', 'max_prepared_transactions', 'max_locks_per_transaction', 'max_wal_senders', 'max_worker_processes'))`).
		Scan(&bin, &flags))
	const start = `{ dir=$(mktemp -d) && cd $dir && %[1]s/pg_basebackup -R -N -c fast -U postgres -D $dir/data &&
		%[1]s/pg_ctl -D $dir/data -w -l $dir/log -o "-c port=5433 -c listen_addresses=* -c fsync=off %[2]s" start; } </dev/null >&2 || { cat $dir/log >&2; false; }`
	db.arrange(fmt.Sprintf("COPY (SELECT 1) TO PROGRAM '"+start+"'", bin, flags))
	var host string // the server's own address: only its first port is forwarded
	require.NoError(db.t, db.Admin.QueryRowContext(db.t.Context(), "SELECT host(inet_server_addr())").Scan(&host))
	return net.JoinHostPort(host, "5433")
}
