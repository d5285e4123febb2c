package backend_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// rawSQLite hands out one connection of a real driver.
func rawSQLite(t *testing.T) driver.Conn {
	t.Helper()
	pool, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		require.NoError(t, pool.Close())
	})
	var raw driver.Conn
	require.NoError(t, conn.Raw(func(c any) error { raw = c.(driver.Conn); return nil }))
	return raw
}

// What a driver may leave out: everything but Prepare, and all that knows a ctx.
type (
	prepareOnly struct{ driver.Conn }
	oldConn     struct{ driver.Conn }
	oldStmt     struct{ driver.Stmt }
)

func (c oldConn) Prepare(query string) (driver.Stmt, error) {
	s, err := c.Conn.Prepare(query)
	return oldStmt{s}, err
}

func TestPlainWireOnEveryShapeOfDriver(t *testing.T) {
	for name, shape := range map[string]func(driver.Conn) driver.Conn{
		"whole":        func(c driver.Conn) driver.Conn { return c },
		"prepare only": func(c driver.Conn) driver.Conn { return prepareOnly{c} },
		"no context":   func(c driver.Conn) driver.Conn { return oldConn{c} },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			w := backend.PlainWire(shape(rawSQLite(t)))
			require.True(t, w.Alive())
			require.True(t, w.Idle())

			_, err := w.Exec(ctx, nil, `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)`, nil)
			require.NoError(t, err)
			res, err := w.Exec(ctx, []string{"BEGIN", "SAVEPOINT hf_1"}, `INSERT INTO t VALUES (?, ?)`, []any{1, "one"})
			require.NoError(t, err)
			n, err := res.RowsAffected()
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
			require.False(t, w.Idle())

			require.NoError(t, w.Commit(ctx, []string{"RELEASE SAVEPOINT hf_1"}))
			require.True(t, w.Idle())
			require.Equal(t, [][]driver.Value{{int64(1), "one"}}, read(t, w, `SELECT id, name FROM t WHERE id = ?`, 1))

			_, err = w.Exec(ctx, []string{"BEGIN"}, `DELETE FROM t`, nil)
			require.NoError(t, err)
			require.NoError(t, w.Rollback(ctx, []string{"SELECT 1"}))
			require.True(t, w.Idle())
			require.Len(t, read(t, w, `SELECT id FROM t`), 1)
		})
	}
}

func read(t *testing.T, w backend.Wire, query string, args ...any) (all [][]driver.Value) {
	t.Helper()
	rows, err := w.Query(t.Context(), nil, query, args)
	require.NoError(t, err)
	for {
		row := make([]driver.Value, len(rows.Columns()))
		if err = rows.Next(row); err != nil {
			break
		}
		all = append(all, row)
	}
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, rows.Close())
	return all
}

func TestPlainWireFindsBadValuesBeforeSending(t *testing.T) {
	w := backend.PlainWire(rawSQLite(t))
	_, err := w.Exec(t.Context(), []string{"BEGIN"}, `SELECT ?`, []any{make(chan int)})
	var unsent *backend.NotSentError
	require.ErrorAs(t, err, &unsent)
	require.False(t, unsent.Closed)
	require.True(t, w.Idle(), "BEGIN was not sent")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Exec(ctx, []string{"BEGIN"}, `SELECT 1`, nil)
	require.ErrorAs(t, err, &unsent)
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, w.Idle())

	_, err = backend.PlainWire(oldConn{rawSQLite(t)}).Query(t.Context(), nil, `SELECT :a`, []any{sql.Named("a", 1)})
	require.ErrorContains(t, err, "no named parameters")
}

// card is a value that cannot be bound, and says so with what it holds.
type card string

func (c card) Value() (driver.Value, error) {
	return nil, fmt.Errorf("bad card %s: %w", string(c), errCard)
}

var errCard = errors.New("a card")

// An error says which value cannot be bound, and never which value it is.
func TestPlainWireShowsNoValue(t *testing.T) {
	for name, shape := range map[string]func(driver.Conn) driver.Conn{
		"whole":        func(c driver.Conn) driver.Conn { return c },
		"prepare only": func(c driver.Conn) driver.Conn { return prepareOnly{c} },
	} {
		w := backend.PlainWire(shape(rawSQLite(t)))
		for _, arg := range []any{card("4111"), sql.Named("a", card("4111"))} {
			_, err := w.Exec(t.Context(), nil, `SELECT ?`, []any{1, arg})
			require.ErrorIs(t, err, errCard, name)
			require.EqualError(t, err, "argument 2: this backend_test.card cannot be bound: its Value method returns an error, or what the driver does not take")
			_, err = w.Query(t.Context(), nil, `SELECT ?`, []any{1, arg})
			require.ErrorIs(t, err, errCard, name)
			require.NotContains(t, err.Error(), "4111", name)
		}
	}
}

func TestPlainWireNamesTheControlStatementThatFailed(t *testing.T) {
	w := backend.PlainWire(rawSQLite(t))
	_, err := w.Exec(t.Context(), []string{"BEGIN", "RELEASE SAVEPOINT none"}, `CREATE TABLE t (id INT)`, nil)
	var prefix *backend.PrefixError
	require.ErrorAs(t, err, &prefix)
	require.Equal(t, "RELEASE SAVEPOINT none", prefix.Statement)
	require.NoError(t, w.Rollback(t.Context(), nil))
	require.Empty(t, read(t, w, `SELECT name FROM sqlite_master`), "the statement behind it did not run")
}

// badConn answers every statement in the way that makes database/sql send it
// again.
type badConn struct {
	driver.Conn
	sent int
}

func (c *badConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	c.sent++
	return nil, driver.ErrBadConn
}

func TestS06_PlainWireKeepsErrBadConnToItself(t *testing.T) {
	c := &badConn{}
	w := backend.PlainWire(c)
	_, err := w.Exec(t.Context(), nil, `INSERT`, nil)
	require.ErrorIs(t, err, dialect.ErrConnectionLost)
	require.NotErrorIs(t, err, driver.ErrBadConn)
	require.False(t, w.Alive())
	require.False(t, w.Idle())

	_, err = w.Exec(t.Context(), nil, `INSERT`, nil)
	var unsent *backend.NotSentError
	require.ErrorAs(t, err, &unsent)
	require.True(t, unsent.Closed)
	require.Equal(t, 1, c.sent)
}
