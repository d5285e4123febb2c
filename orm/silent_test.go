package orm_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/orm"
)

// A silent database answers every statement at once, and with the same rows: what a
// statement costs on it is what the library itself costs.
type silent struct {
	server dialect.Server
	row    []driver.Value // of each result
	rows   int            // how many a result has
	sent   func(query string, args []any)
}

var servers = map[string]dialect.Server{
	dialect.MySQL:    {Engine: dialect.MySQL, Product: "MySQL", Version: dialect.Version{Major: 9, Minor: 7}},
	dialect.MariaDB:  {Engine: dialect.MariaDB, Product: "MariaDB", Version: dialect.Version{Major: 11, Minor: 8}},
	dialect.Postgres: {Engine: dialect.Postgres, Product: "PostgreSQL", Version: dialect.Version{Major: 18}},
	dialect.SQLite:   {Engine: dialect.SQLite, Product: "SQLite", Version: dialect.Version{Major: 3, Minor: 50}},
}

func openSilent(tb testing.TB, s *silent) *orm.DB {
	tb.Helper()
	db, err := orm.Open(tb.Context(), s)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

// Connect implements dialect.Source.
func (s *silent) Connect(context.Context) (io.Closer, error) {
	var d schema.Dialect = mysqldialect.New()
	switch s.server.Engine {
	case dialect.Postgres:
		d = pgdialect.New()
	case dialect.SQLite:
		d = sqlitedialect.New()
	}
	return &backend.Database{Pool: sql.OpenDB(silentConnector{s}), Server: s.server, Engine: silentEngine{}, Schema: d}, nil
}

type silentConnector struct{ of *silent }

func (c silentConnector) Connect(context.Context) (driver.Conn, error) {
	return &silentConn{of: c.of}, nil
}
func (c silentConnector) Driver() driver.Driver { return nil }

type silentEngine struct{ backend.Engine }

func (silentEngine) Wire(conn any) backend.Wire { return conn.(*silentConn) }
func (silentEngine) Begin(backend.TxOptions) (backend.Control, error) {
	return backend.Control{Begin: "BEGIN"}, nil
}
func (silentEngine) Resolver() backend.Resolver        { return nil }
func (silentEngine) Classify(err error) *dialect.Error { return &dialect.Error{Err: err} }

// silentConn is the driver's connection, and its own wire.
type silentConn struct {
	of   *silent
	rows silentRows
}

func (c *silentConn) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("nothing is prepared here")
}
func (c *silentConn) Close() error              { return nil }
func (c *silentConn) Begin() (driver.Tx, error) { return nil, errors.New("nothing is begun here") }

func (c *silentConn) Exec(_ context.Context, _ []string, query string, args []any) (driver.Result, error) {
	if c.of.sent != nil {
		c.of.sent(query, args)
	}
	return one, nil
}

var one driver.Result = oneRow{}

type oneRow struct{}

func (oneRow) LastInsertId() (int64, error) { return 1, nil }
func (oneRow) RowsAffected() (int64, error) { return 1, nil }

func (c *silentConn) Query(_ context.Context, _ []string, query string, args []any) (driver.Rows, error) {
	if c.of.sent != nil {
		c.of.sent(query, args)
	}
	c.rows = silentRows{of: c.of, left: c.of.rows}
	return &c.rows, nil
}

func (c *silentConn) Commit(context.Context, []string) error   { return nil }
func (c *silentConn) Rollback(context.Context, []string) error { return nil }
func (c *silentConn) Alive() bool                              { return true }
func (c *silentConn) Idle() bool                               { return true }
func (c *silentConn) Used() bool                               { return true }
func (c *silentConn) ID() int64                                { return 1 }

type silentRows struct {
	of   *silent
	left int
}

var silentColumns = make([]string, 64)

func (r *silentRows) Columns() []string { return silentColumns[:len(r.of.row)] }
func (r *silentRows) Close() error      { return nil }
func (r *silentRows) Next(dest []driver.Value) error {
	if r.left--; r.left < 0 {
		return io.EOF
	}
	copy(dest, r.of.row)
	return nil
}
