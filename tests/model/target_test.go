package model

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/internal/backend"
	machine "github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// target is a database that programs run on.
type target struct {
	model    Engine
	executor *machine.Executor
	db       *sql.DB // Executor.SQL()
	admin    *sql.DB

	insert  string // adds one row
	read    string // reads the keys in a range, a row each
	readRow string // reads them as one row
	idle    func(context.Context) error
	next    int // the first key of the next program
}

// span is how far the keys of two programs are apart. An insert that the model
// did not foresee goes to the second half.
const (
	span      = 100_000
	unplanned = span / 2
)

func newTarget(t *testing.T, db testdb.Database, source func(*testing.T, testdb.Database) dialect.Source) *target {
	database, err := backend.Connect(t.Context(), source(t, db))
	require.NoError(t, err)
	executor := machine.New(database, machine.Settings{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { require.NoError(t, executor.Close()) })
	executor.Database().Pool.SetMaxIdleConns(10) // as deep as programs open transactions
	tg := &target{executor: executor, db: executor.SQL(), admin: db.Admin, next: span}
	tg.spell(db.Engine)
	_, err = db.Admin.ExecContext(t.Context(), "CREATE TABLE held (k BIGINT NOT NULL PRIMARY KEY)")
	require.NoError(t, err)
	return tg
}

// deferred opens the database as an application does. On SQLite nobody waits for
// the write lock: the one who holds it is always a block of the same program.
func deferred(_ *testing.T, db testdb.Database) dialect.Source {
	switch db.Engine {
	case testdb.SQLite:
		return sqlite.Open(db.DSN, sqlite.BusyTimeout(0))
	case testdb.Postgres:
		return postgres.Open(db.DSN)
	default:
		return mysql.Open(db.DSN)
	}
}

// undeferred opens it so that each control statement is sent by itself: on MySQL
// by the DSN, on PostgreSQL with a driver that the engine does not know.
func undeferred(t *testing.T, db testdb.Database) dialect.Source {
	if db.Engine != testdb.Postgres {
		separator := "?"
		if strings.Contains(db.DSN, "?") {
			separator = "&"
		}
		return mysql.Open(db.DSN + separator + "multiStatements=false")
	}
	config, err := pgx.ParseConfig(db.DSN)
	require.NoError(t, err)
	pool := sql.OpenDB(stranger{stdlib.GetConnector(*config)})
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return postgres.From(pool)
}

// stranger hides whose connections they are.
type stranger struct{ driver.Connector }

func (s stranger) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return strangersConn{conn.(*stdlib.Conn)}, nil
}

type strangersConn struct{ fullConn }

type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
}

// spell fills in what depends on the engine.
func (tg *target) spell(engine testdb.Engine) {
	tg.insert = "INSERT INTO held (k) VALUES (?)"
	tg.read = "SELECT k FROM held WHERE k >= ? AND k < ? ORDER BY k"
	tg.readRow = "SELECT GROUP_CONCAT(k ORDER BY k) FROM held WHERE k >= ? AND k < ?"
	switch engine {
	case testdb.SQLite:
		tg.model = Engine{OneWriter: true, ReadFixes: true}
		tg.idle = tg.idleSQLite
	case testdb.MySQL:
		tg.model = Engine{ReadFixes: true, Forgets: true}
		tg.idle = tg.idleMySQL
	case testdb.MariaDB:
		tg.model = Engine{ReadFixes: true, Forgets: true}
		tg.idle = tg.idleMariaDB
	case testdb.Postgres:
		tg.model = Engine{InsertFixes: true}
		tg.insert = "INSERT INTO held (k) VALUES ($1)"
		tg.read = "SELECT k FROM held WHERE k >= $1 AND k < $2 ORDER BY k"
		tg.readRow = "SELECT string_agg(k::text, ',' ORDER BY k) FROM held WHERE k >= $1 AND k < $2"
		tg.idle = tg.idlePostgres
	}
}

// compare runs a program in the model and on the engine, and says how they
// differ, or "".
func (tg *target) compare(p Program) string {
	ctx, end := context.WithTimeout(context.Background(), time.Minute)
	defer end()
	base := tg.next
	tg.next += span
	want := Run(tg.model, p)
	if err := tg.seed(ctx, base, want.Lanes); err != nil {
		return err.Error()
	}
	trace, ended := tg.run(p, base, want.Plan)
	if !ended {
		return fmt.Sprintf("the program did not end within %s", limit)
	}
	if diff := difference(want.Trace, trace); diff != "" {
		return diff
	}
	rows, err := tg.rows(ctx, base)
	if err != nil {
		return err.Error()
	}
	if !slices.Equal(rows, want.Rows) {
		return fmt.Sprintf("rows afterwards\n  model:  %v\n  engine: %v\n", want.Rows, rows)
	}
	if n := tg.executor.Database().Pool.Stats().InUse; n != 0 {
		return fmt.Sprintf("%d connections are still in use", n)
	}
	if err := tg.idle(ctx); err != nil {
		return err.Error()
	}
	return ""
}

// seed inserts the seeds of lanes.
func (tg *target) seed(ctx context.Context, base, lanes int) error {
	var values []string
	for lane := range lanes {
		first := base + lane*LaneRows
		values = append(values, fmt.Sprintf("(%d), (%d)", first, first+1))
	}
	_, err := tg.admin.ExecContext(ctx, "INSERT INTO held (k) VALUES "+strings.Join(values, ", "))
	return err
}

// rows are the program's rows, counted from its first key, without the seeds.
func (tg *target) rows(ctx context.Context, base int) ([]int, error) {
	rows, err := tg.admin.QueryContext(ctx, fmt.Sprintf("SELECT k FROM held WHERE k >= %d AND k < %d ORDER BY k", base, base+span))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []int
	for rows.Next() {
		var key int
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		if !IsSeed(key - base) {
			keys = append(keys, key-base)
		}
	}
	return keys, rows.Err()
}

// difference shows the first line in which two traces differ, or "".
func difference(model, engine []string) string {
	for i := range max(len(model), len(engine)) {
		m, e := line(model, i), line(engine, i)
		if m != e {
			return fmt.Sprintf("after\n    %s\nthe model and the engine differ:\n  model:  %s\n  engine: %s\n",
				strings.Join(model[:i], "\n    "), m, e)
		}
	}
	return ""
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(the end)"
}
