package mysql

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// borrow looks at a pool of the application's. One connection stands for all:
// they are opened alike.
func borrow(ctx context.Context, pool *sql.DB, o options) (*backend.Database, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, openError(nil, err)
	}
	defer func() { _ = conn.Close() }()
	vars, err := poolVariables(ctx, conn)
	if err != nil {
		return nil, openError(nil, err)
	}
	f, err := factsOf(vars)
	if err != nil {
		return nil, err
	}
	for _, check := range []func(context.Context, *sql.Conn, map[string]string) error{
		checkSession, checkTimes, checkColumns, checkRowsAffected,
	} {
		if err := check(ctx, conn, vars); err != nil {
			return nil, err
		}
	}
	o.locks(&f.server)
	db := f.database(pool)
	db.Borrowed = true
	return db, nil
}

func poolVariables(ctx context.Context, conn *sql.Conn) (map[string]string, error) {
	rows, err := conn.QueryContext(ctx, variablesQuery)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	vars := make(map[string]string)
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		vars[name] = value
	}
	return vars, rows.Err()
}

func checkSession(_ context.Context, _ *sql.Conn, vars map[string]string) error {
	if !isOn(vars["autocommit"]) { // A1
		return conflict("autocommit", "connections are not in autocommit: open the pool with autocommit=1")
	}
	for _, name := range []string{"character_set_client", "character_set_connection", "character_set_results"} {
		if vars[name] != "utf8mb4" { // S1
			return conflict("charset", name+" of connections is "+vars[name]+": open the pool with charset=utf8mb4")
		}
	}
	return checkMode(vars["sql_mode"])
}

// checkTimes finds out whether times go through the pool as the same instant
// and in UTC (rule S4).
func checkTimes(ctx context.Context, conn *sql.Conn, _ map[string]string) error {
	instant := time.Date(2001, 2, 3, 4, 5, 6, 0, time.FixedZone("", 3600))
	const inUTC = "2001-02-03 03:05:06"
	var sent string
	var got any
	var offset int
	err := conn.QueryRowContext(ctx, "SELECT CAST(? AS CHAR), TIMESTAMP('"+inUTC+"'), TIMESTAMPDIFF(MINUTE, UTC_TIMESTAMP(), NOW())", instant).
		Scan(&sent, &got, &offset)
	if err != nil {
		return openError(nil, err)
	}
	switch back, ok := got.(time.Time); {
	case !ok:
		return conflict("parseTime", "the pool reads times as text: open it with parseTime=true")
	case !strings.HasPrefix(sent, inUTC) || !back.Equal(instant):
		return conflict("loc", "the pool's times are not in UTC: open it with loc=UTC")
	case offset != 0:
		return conflict("time_zone", "the pool's sessions are not in UTC: open it with time_zone='+00:00'")
	}
	return nil
}

func checkColumns(ctx context.Context, conn *sql.Conn, _ map[string]string) error {
	rows, err := conn.QueryContext(ctx, "SELECT t.n FROM (SELECT 1 AS n) AS t")
	if err != nil {
		return openError(nil, err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	for rows.Next() { // to its end
	}
	if err = errors.Join(err, rows.Err()); err != nil {
		return openError(nil, err)
	}
	if names[0] != "n" {
		return conflict("columnsWithAlias", "columns are found by their plain names: open the pool without it")
	}
	return nil
}

// checkRowsAffected finds out whether an UPDATE counts the rows that matched
// (rule S7). It needs a table for that, and is satisfied where the user may not
// make a temporary one.
func checkRowsAffected(ctx context.Context, conn *sql.Conn, _ map[string]string) error {
	const table = "holdfast_probe"
	if _, err := conn.ExecContext(ctx, "CREATE TEMPORARY TABLE "+table+" SELECT 1 AS n"); err != nil {
		return nil //nolint:nilerr // there is no knowing then
	}
	res, err := conn.ExecContext(ctx, "UPDATE "+table+" SET n = 1")
	if _, dropErr := conn.ExecContext(ctx, "DROP TEMPORARY TABLE "+table); err == nil {
		err = dropErr
	}
	if err != nil {
		return openError(nil, err)
	}
	if n, err := res.RowsAffected(); err == nil && n != 1 {
		return conflict("clientFoundRows", "the pool counts the rows that changed and not those that matched: open it with clientFoundRows=true")
	}
	return nil
}
