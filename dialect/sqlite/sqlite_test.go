package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a database that is closed with the test.
func open(t testing.TB, source dialect.Source) *backend.Database {
	t.Helper()
	db, err := backend.Connect(context.Background(), source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Pool.Close()) })
	return db
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

// user is one connection of a database, with what atomic does with it.
type user struct {
	t    testing.TB
	db   *backend.Database
	conn *sql.Conn
	wire backend.Wire
}

func connect(t testing.TB, db *backend.Database) *user {
	t.Helper()
	conn, err := db.Pool.Conn(context.Background())
	require.NoError(t, err)
	u := &user{t: t, db: db, conn: conn}
	require.NoError(t, conn.Raw(func(c any) error { u.wire = db.Engine.Wire(c); return nil }))
	t.Cleanup(func() { _ = conn.Close() })
	return u
}

// discard closes the connection, as atomic does with one that is not clean.
func (u *user) discard() {
	_ = u.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = u.conn.Close()
}

func (u *user) exec(query string, args ...any) (driver.Result, error) {
	return u.wire.Exec(context.Background(), nil, query, args)
}

func (u *user) must(query string, args ...any) driver.Result {
	u.t.Helper()
	res, err := u.exec(query, args...)
	require.NoError(u.t, err, query)
	return res
}

// begin sends query as the first statement of a block.
func (u *user) begin(o backend.TxOptions, query string, args ...any) error {
	u.t.Helper()
	return u.beginWithin(nil, o, query, args...)
}

// beginWithin begins with a limit on the wait for the lock.
func (u *user) beginWithin(wait *time.Duration, o backend.TxOptions, query string, args ...any) error {
	u.t.Helper()
	c, err := u.db.Engine.Begin(o)
	require.NoError(u.t, err)
	var limit backend.Control
	if wait != nil {
		limit = u.db.Engine.LockWait(*wait)
	}
	prefix := append(append(append(limit.Before, c.Before...), c.Begin), c.Inside...)
	_, err = u.wire.Exec(context.Background(), prefix, query, args)
	return err
}

func (u *user) commit() error { return u.wire.Commit(context.Background(), nil) }

func (u *user) rollback() { require.NoError(u.t, u.wire.Rollback(context.Background(), nil)) }

// all reads the rows of query.
func (u *user) all(query string, args ...any) ([][]driver.Value, error) {
	return read(u.wire.Query(context.Background(), nil, query, args))
}

func read(rows driver.Rows, err error) (all [][]driver.Value, _ error) {
	if err != nil {
		return nil, err
	}
	for {
		row := make([]driver.Value, len(rows.Columns()))
		switch err := rows.Next(row); err {
		case nil:
			all = append(all, row)
		case io.EOF:
			return all, rows.Close()
		default:
			_ = rows.Close()
			return all, err
		}
	}
}

// one reads the single value that query returns.
func (u *user) one(query string, args ...any) driver.Value {
	u.t.Helper()
	all, err := u.all(query, args...)
	require.NoError(u.t, err, query)
	require.Len(u.t, all, 1)
	return all[0][0]
}

func (u *user) kind(err error) error { return u.db.Engine.Classify(err).Kind }

func limit(d time.Duration) *time.Duration { return &d }
