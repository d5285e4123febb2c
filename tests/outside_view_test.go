package tests

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// What other programs see and do, through the stock drivers: the rows that are
// committed, the transactions that are open, locks, and the end of a connection.
// All of it may be used from any goroutine: it fails the test and does not end it.

// arrange sends statements past the library.
func (db *database) arrange(statements ...string) {
	db.t.Helper()
	for _, s := range statements {
		_, err := db.Admin.ExecContext(context.Background(), s)
		assert.NoError(db.t, err, s)
	}
}

// kept are the ids in t that are committed.
func (db *database) kept() []int {
	db.t.Helper()
	rows, err := db.Admin.QueryContext(context.Background(), "SELECT id FROM t ORDER BY id")
	require.NoError(db.t, err)
	defer func() { _ = rows.Close() }()
	ids := []int{}
	for rows.Next() {
		var id int
		require.NoError(db.t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(db.t, rows.Err())
	return ids
}

// value is v of a row, as committed.
func (db *database) value(id int) (v int) {
	db.t.Helper()
	assert.NoError(db.t, db.Admin.QueryRowContext(context.Background(), fmt.Sprintf("SELECT v FROM t WHERE id = %d", id)).Scan(&v))
	return v
}

// idle requires that no connection is in use.
func (db *database) idle() {
	db.t.Helper()
	assert.Zero(db.t, db.pool().Stats().InUse, "connections in use")
}

// settled waits until nothing of the library is left in progress: a server
// takes a moment to notice that a connection was cut.
func (db *database) settled() {
	db.t.Helper()
	unused(db.t, db.pool())
	eventually(db.t, "no transaction is open on the server", func() bool { return db.transactions() == 0 })
}

// unused waits until no connection of a pool is in use. database/sql opens one after
// the other those that somebody has once waited for: only those that stay are too many.
func unused(t *testing.T, pool *sql.DB) {
	t.Helper()
	inUse := func() int { return pool.Stats().InUse }
	for left := inUse(); left > 0; left = inUse() {
		if !eventually(t, "one connection less is in use", func() bool { return inUse() < left }) {
			return
		}
	}
}

// transactions counts those that are open in the database. InnoDB shows one
// from its first access to a table on; SQLite has a writer or none.
func (db *database) transactions() int {
	switch db.Engine {
	case testdb.SQLite:
		return db.writers()
	case testdb.Postgres:
		return db.look(`SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`)
	default:
		return db.innodb(", ACTIVE ")
	}
}

func (db *database) writers() int {
	conn, err := db.Admin.Conn(context.Background())
	require.NoError(db.t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.ExecContext(context.Background(), "PRAGMA busy_timeout = 0")
	require.NoError(db.t, err)
	if _, err := conn.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		return 1
	}
	_, err = conn.ExecContext(context.Background(), "ROLLBACK")
	require.NoError(db.t, err)
	return 0
}

// blocked waits until so many sessions of the database wait for a lock. SQLite
// has no list of them.
func (db *database) blocked(n int) {
	db.t.Helper()
	eventually(db.t, fmt.Sprintf("%d sessions wait for a lock", n), func() bool {
		if db.Engine == testdb.Postgres {
			return n == db.look(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		}
		return n == db.innodb("LOCK WAIT")
	})
}

// innodb counts the transactions of this database in whose description a text
// appears. The monitor's output is always of the moment; innodb_trx stays what
// it was while it is asked for more than ten times a second.
func (db *database) innodb(text string) (n int) {
	db.t.Helper()
	var engine, name, status string
	assert.NoError(db.t, db.Admin.QueryRowContext(context.Background(), "SHOW ENGINE INNODB STATUS").Scan(&engine, &name, &status))
	for _, description := range strings.Split(status, "---TRANSACTION ")[1:] {
		thread := threadID.FindStringSubmatch(description)
		if thread != nil && strings.Contains(description, text) {
			n += db.look("SELECT count(*) FROM " + db.Engine.Sessions() + " WHERE db = DATABASE() AND id <> CONNECTION_ID() AND id = " + thread[1])
		}
	}
	return n
}

var threadID = regexp.MustCompile(`(?:MySQL|MariaDB) thread id (\d+),`)

func (db *database) look(query string) (n int) {
	db.t.Helper()
	assert.NoError(db.t, db.Admin.QueryRowContext(context.Background(), query).Scan(&n))
	return n
}

// id is the server's number of the connection that a statement with this ctx
// uses. SQLite has none.
func (db *database) id(ctx context.Context) int64 {
	db.t.Helper()
	query := "SELECT CONNECTION_ID()"
	if db.Engine == testdb.Postgres {
		query = "SELECT pg_backend_pid()"
	}
	id, err := db.number(ctx, query)
	require.NoError(db.t, err)
	return id
}

// kill has the server end a connection, and waits until it has.
func (db *database) kill(id int64) {
	db.t.Helper()
	if db.Engine == testdb.Postgres {
		db.arrange(fmt.Sprintf("SELECT pg_terminate_backend(%d)", id))
	} else {
		db.arrange(fmt.Sprintf("KILL %d", id))
	}
	db.gone(id)
}

func (db *database) gone(id int64) {
	db.t.Helper()
	query := "SELECT count(*) FROM " + db.Engine.Sessions() + " WHERE id = %d"
	if db.Engine == testdb.Postgres {
		query = "SELECT count(*) FROM pg_stat_activity WHERE pid = %d"
	}
	eventually(db.t, "the server has ended the connection", func() bool { return db.look(fmt.Sprintf(query, id)) == 0 })
}

// rival is another program with a transaction of its own.
type rival struct {
	t    *testing.T
	conn *sql.Conn
}

// rival begins a transaction. It is rolled back when the test ends.
func (db *database) rival() *rival {
	db.t.Helper()
	conn, err := db.Admin.Conn(context.Background())
	require.NoError(db.t, err)
	r := &rival{db.t, conn}
	r.exec("BEGIN")
	db.t.Cleanup(func() {
		_, _ = conn.ExecContext(context.Background(), "ROLLBACK")
		_ = conn.Close()
	})
	return r
}

func (r *rival) exec(statements ...string) {
	r.t.Helper()
	for _, s := range statements {
		_, err := r.conn.ExecContext(context.Background(), s)
		assert.NoError(r.t, err, s)
	}
}

// start sends a statement that will have to wait; done waits for its end.
func (r *rival) start(statement string) (done func() error) {
	end := make(chan error, 1)
	go func() {
		_, err := r.conn.ExecContext(context.Background(), statement)
		end <- err
	}()
	return func() error { return <-end }
}

// patience is how long a test waits for what must happen soon. It is long,
// since it is used up only by a failure.
const patience = 20 * time.Second

// eventually waits for a condition, and reports whether it came to hold.
func eventually(t *testing.T, what string, holds func() bool) bool {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			return assert.Fail(t, "not after "+patience.String()+": "+what)
		}
	}
	return true
}

// soon waits for a channel.
func soon[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case v = <-c:
	case <-limit.C:
		require.FailNow(t, "not after "+patience.String()+": "+what)
	}
	return v
}
