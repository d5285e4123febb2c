package tests

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/seam"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// database is a database under test: opened by the library, and watched from
// outside through Admin. It has one table, t (id, v).
type database struct {
	testdb.Database
	t        *testing.T
	executor *block.Executor
	wires    *wires
}

// Executor makes a database an atomic.DB.
func (db *database) Executor() seam.Executor { return db.executor }

// each runs a test on each engine, or on those given.
func each(t *testing.T, test func(t *testing.T, db *database), engines ...testdb.Engine) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		db := open(t, at, setup{})
		db.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
		test(t, db)
	}, engines...)
}

// setup is how a database is opened; the zero value is the usual way.
type setup struct {
	block.Settings
	dsn    string                          // instead of the database's own
	source func(dsn string) dialect.Source // instead of the engine's Open
	pool   int                             // the limit on its connections; 0: none
}

// open opens a database. When the test ends nothing may be left of it.
func open(t *testing.T, at testdb.Database, s setup) *database {
	t.Helper()
	if s.dsn == "" {
		s.dsn = at.DSN
	}
	if s.source == nil {
		s.source = func(dsn string) dialect.Source { return testdb.Source(at.Engine, dsn) }
	}
	opened, err := backend.Connect(t.Context(), s.source(s.dsn))
	require.NoError(t, err)
	opened.Pool.SetMaxOpenConns(s.pool)
	opened.Pool.SetMaxIdleConns(100)
	db := &database{Database: at, t: t, wires: newWires(opened.Engine)}
	switch engine := opened.Engine.(type) {
	case backend.Tagger:
		opened.Engine = struct {
			*wires
			backend.Tagger
		}{db.wires, engine}
	case backend.Namer:
		opened.Engine = struct {
			*wires
			backend.Namer
		}{db.wires, engine}
	default:
		opened.Engine = db.wires
	}
	db.executor = block.New(opened, s.Settings)
	t.Cleanup(func() {
		db.settled()
		require.NoError(t, db.executor.Close())
	})
	return db
}

// again opens the same database once more.
func (db *database) again(s setup) *database {
	db.t.Helper()
	return open(db.t, db.Database, s)
}

func (db *database) pool() *sql.DB { return db.executor.Database().Pool }

// exec sends one statement, written with ? on every engine.
func (db *database) exec(ctx context.Context, query string, args ...any) error {
	_, err := db.executor.SQL().ExecContext(ctx, db.wires.Rebind(query), args...)
	return err
}

// insert adds a row for each id, each in a statement of its own.
func (db *database) insert(ctx context.Context, ids ...int) error {
	for _, id := range ids {
		if err := db.exec(ctx, "INSERT INTO t (id, v) VALUES (?, ?)", id, id); err != nil {
			return err
		}
	}
	return nil
}

// refused sends a statement that every server refuses, with ErrNotNullViolation.
func (db *database) refused(ctx context.Context) error {
	return db.exec(ctx, "INSERT INTO t (id, v) VALUES (?, NULL)", secret)
}

// secret is a value that must not appear in any error.
const secret = 987654321

// number runs a query that returns one number.
func (db *database) number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = db.executor.SQL().QueryRowContext(ctx, db.wires.Rebind(query), args...).Scan(&n)
	return n, err
}

// count is what a statement with this ctx sees.
func (db *database) count(ctx context.Context) (int64, error) {
	return db.number(ctx, "SELECT count(*) FROM t")
}

// mustInsert is insert where it has to work.
func (db *database) mustInsert(ctx context.Context, ids ...int) {
	db.t.Helper()
	require.NoError(db.t, db.insert(ctx, ids...))
}

// mustRefuse is refused where it has to fail, for the first time in its block.
func (db *database) mustRefuse(ctx context.Context) {
	db.t.Helper()
	require.ErrorIs(db.t, db.refused(ctx), dialect.ErrNotNullViolation)
}
