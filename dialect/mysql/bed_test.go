package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// each runs a test on MySQL and on MariaDB.
func each(t *testing.T, test func(t *testing.T, db testserver.Database)) {
	t.Helper()
	t.Parallel()
	testserver.Each(t, test, testserver.MySQL, testserver.MariaDB)
}

// open opens dsn for the rest of the test.
func open(t testing.TB, dsn string, opts ...Option) *backend.Database {
	t.Helper()
	db, err := backend.Connect(t.Context(), Open(dsn, opts...))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// with adds parameters to a DSN.
func with(dsn, params string) string {
	mark := "?"
	if strings.Contains(dsn, "?") {
		mark = "&"
	}
	return dsn + mark + params
}

// take takes a connection out of the pool for the rest of the test.
func take(t testing.TB, db *backend.Database) backend.Wire {
	t.Helper()
	w, _ := takeConn(t, db)
	return w
}

func takeConn(t testing.TB, db *backend.Database) (w backend.Wire, c *sql.Conn) {
	t.Helper()
	c, err := db.Pool.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.Raw(func(dc any) error { w = db.Engine.Wire(dc); return nil }))
	return w, c
}

// stock is a connection of the driver with the settings of a wire's, and
// without anything of ours around it.
func stock(t testing.TB, db *backend.Database) (c rawConn) {
	t.Helper()
	pooled, err := db.Pool.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = pooled.Close() })
	require.NoError(t, pooled.Raw(func(dc any) error { c = dc.(*conn).rawConn; return nil }))
	return c
}

// admin sends statements on the side.
func admin(t testing.TB, db testserver.Database, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.Admin.ExecContext(context.WithoutCancel(t.Context()), s)
		require.NoError(t, err, s)
	}
}

// exec sends a statement that has to succeed.
func exec(t testing.TB, w backend.Wire, prefix []string, query string, args ...any) driver.Result {
	t.Helper()
	res, err := w.Exec(t.Context(), prefix, query, args)
	require.NoError(t, err, query)
	return res
}

// refused sends a statement that has to fail.
func refused(t testing.TB, w backend.Wire, prefix []string, query string, args ...any) error {
	t.Helper()
	_, err := w.Exec(t.Context(), prefix, query, args)
	require.Error(t, err, query)
	return err
}

// ask returns the values of the first row, each as a text.
func ask(t testing.TB, w backend.Wire, query string, args ...any) []string {
	t.Helper()
	all, err := readAll(w.Query(t.Context(), nil, query, args))
	require.NoError(t, err, query)
	require.NotEmpty(t, all, query)
	return all[0]
}

// readAll reads rows to their end.
func readAll(rows driver.Rows, err error) (all [][]string, _ error) {
	if err != nil {
		return nil, err
	}
	dest := make([]driver.Value, len(rows.Columns()))
	for {
		if err = rows.Next(dest); err != nil {
			break
		}
		var row []string
		for _, v := range dest {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			row = append(row, fmt.Sprint(v))
		}
		all = append(all, row)
	}
	if err == io.EOF {
		err = nil
	}
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	return all, err
}

// number is the server's number of an error.
func number(err error) int {
	var e *godriver.MySQLError
	if errors.As(err, &e) {
		return int(e.Number)
	}
	return 0
}

// eventually waits for a condition on the server.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, 5*time.Millisecond, what)
}

// waiting reports whether a connection waits for a row lock. The tables in
// information_schema would show it, but not while somebody else looks at them
// ten times a second: InnoDB fills them anew only when they were left alone.
func waiting(t testing.TB, db testserver.Database, id string) func() bool {
	return func() bool {
		var kind, name, status string
		require.NoError(t, db.Admin.QueryRowContext(t.Context(), "SHOW ENGINE INNODB STATUS").Scan(&kind, &name, &status))
		for transaction := range strings.SplitSeq(status, "---TRANSACTION ") {
			if strings.Contains(transaction, "thread id "+id+",") && strings.Contains(transaction, "LOCK WAIT") {
				return true
			}
		}
		return false
	}
}

// other takes a connection of the administrator's, which is rolled back after
// the test.
func other(t testing.TB, db testserver.Database) (c *sql.Conn, id string) {
	t.Helper()
	c, err := db.Admin.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		_, _ = c.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK")
		require.NoError(t, c.Close())
	})
	require.NoError(t, c.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id))
	return c, id
}

func itoa(n int64) string { return fmt.Sprint(n) }
