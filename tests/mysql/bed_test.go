package mysql_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// admin sends statements on the side.
func admin(t testing.TB, db testdb.Database, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.Admin.ExecContext(context.WithoutCancel(t.Context()), s)
		require.NoError(t, err, s)
	}
}

// exec sends a statement that has to succeed.
func exec(t testing.TB, w backend.Wire, prefix []string, query string) {
	t.Helper()
	_, err := w.Exec(t.Context(), prefix, query, nil)
	require.NoError(t, err, query)
}

// refused sends a statement that has to fail.
func refused(t testing.TB, w backend.Wire, prefix []string, query string) error {
	t.Helper()
	_, err := w.Exec(t.Context(), prefix, query, nil)
	require.Error(t, err, query)
	return err
}

// ask returns the values of the first row, each as a text.
func ask(t testing.TB, w backend.Wire, query string) (row []string) {
	t.Helper()
	rows, err := w.Query(t.Context(), nil, query, nil)
	require.NoError(t, err, query)
	dest := make([]driver.Value, len(rows.Columns()))
	require.NoError(t, rows.Next(dest), query)
	for _, v := range dest {
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		row = append(row, fmt.Sprint(v))
	}
	require.NoError(t, rows.Close())
	return row
}

// number is the server's number of an error.
func number(err error) int {
	var e *godriver.MySQLError
	if errors.As(err, &e) {
		return int(e.Number)
	}
	return 0
}
