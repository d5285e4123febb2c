package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// open opens dsn for the rest of the test.
func open(t testing.TB, dsn string, opts ...Option) *backend.Database {
	t.Helper()
	db, err := backend.Connect(t.Context(), Open(dsn, opts...))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// take takes a connection out of the pool for the rest of the test.
func take(t testing.TB, db *backend.Database) backend.Wire {
	t.Helper()
	var w backend.Wire
	raw(t, db.Pool, func(c any) { w = db.Engine.Wire(c) })
	return w
}

// stock takes a connection of pgx's own, to compare with.
func stock(t testing.TB, dsn string) (c *stdlib.Conn) {
	t.Helper()
	pool, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	raw(t, pool, func(d any) { c = d.(*stdlib.Conn) })
	return c
}

func raw(t testing.TB, pool *sql.DB, use func(any)) {
	t.Helper()
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	require.NoError(t, conn.Raw(func(c any) error { use(c); return nil }))
}

// fresh makes a database and runs statements in it.
func fresh(t testing.TB, statements ...string) testserver.Database {
	t.Helper()
	db := testserver.New(t, testserver.Postgres)
	for _, s := range statements {
		_, err := db.Admin.ExecContext(t.Context(), s)
		require.NoError(t, err, s)
	}
	return db
}

func exec(t testing.TB, w backend.Wire, query string, args ...any) int64 {
	t.Helper()
	return execAfter(t, w, nil, query, args...)
}

func execAfter(t testing.TB, w backend.Wire, prefix []string, query string, args ...any) int64 {
	t.Helper()
	res, err := w.Exec(t.Context(), prefix, query, args)
	require.NoError(t, err)
	n, err := res.RowsAffected()
	require.NoError(t, err)
	return n
}

// one returns the one value that a query yields.
func one(t testing.TB, w backend.Wire, query string, args ...any) any {
	t.Helper()
	rows, err := w.Query(t.Context(), nil, query, args)
	require.NoError(t, err)
	all, err := readAll(rows)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Len(t, all[0], 1)
	return all[0][0]
}

// readAll reads rows to their end and closes them.
func readAll(rows driver.Rows) (all [][]driver.Value, err error) {
	for {
		row := make([]driver.Value, len(rows.Columns()))
		if err = rows.Next(row); err != nil {
			break
		}
		all = append(all, row)
	}
	if err == io.EOF {
		err = nil
	}
	return all, errors.Join(err, rows.Close())
}

// eventually waits until a query of the administrator's yields true.
func eventually(t testing.TB, db testserver.Database, query string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var yes bool
		require.NoError(t, db.Admin.QueryRowContext(ctx, query, args...).Scan(&yes), query)
		if yes {
			return
		}
		<-tick.C
	}
}
