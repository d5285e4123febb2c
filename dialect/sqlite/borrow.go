package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// borrow takes a pool of the application's. One connection stands for all: they are
// opened alike.
func (s *source) borrow(ctx context.Context) (*backend.Database, error) {
	// A driver is told by its errors: it may be wrapped.
	_, err := s.pool.ExecContext(ctx, "SELECT * FROM holdfast_no_such_table")
	var known *modernc.Error
	switch {
	case err == nil || !errors.As(err, &known) && ctx.Err() == nil:
		return nil, &dialect.OpenError{Engine: dialect.SQLite, Setting: "pool", Err: err,
			Problem: "its driver is not modernc.org/sqlite, or it is closed: open it with sql.Open(\"sqlite\", …) and that driver"}
	case ctx.Err() != nil:
		return nil, openError("", err)
	case known.Code() != sqlite3.SQLITE_ERROR:
		return nil, openError("", err)
	}
	if err := checkTimes(ctx, s.pool); err != nil {
		return nil, openError("", err)
	}
	db, err := s.first(ctx, s.pool, newQueue())
	if err != nil {
		return nil, openError("", err)
	}
	db.Borrowed = true
	return db, nil
}

// checkTimes finds out whether texts go through the pool as they are, and times in UTC
// (rules S1 and S4). How the driver reads a column that is declared as a date cannot be
// asked without a table; in the same zone it writes a time.
func checkTimes(ctx context.Context, pool *sql.DB) error {
	const day = "2001-02-03"
	winter := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	summer := winter.AddDate(0, 6, 0)
	var text any
	var written [2]any
	if err := pool.QueryRowContext(ctx, "SELECT '"+day+"', ?, ?", winter, summer).Scan(&text, &written[0], &written[1]); err != nil {
		return err
	}
	if text != day {
		return problem("_texttotime", "the pool takes computed texts for times, and changes them: open it without", nil)
	}
	for i, want := range []time.Time{winter, summer} {
		const long = len(time.DateTime)
		if s, ok := written[i].(string); ok && len(s) >= long && s[:long] != want.Format(time.DateTime) {
			return problem("_timezone", "dates of the pool are those of a zone, and fall on other days in UTC: open it without, or with _timezone=UTC", nil)
		}
	}
	return nil
}

// checkPragmas refuses what changes the answers to queries, or what a block rests on.
// readsOnly says that the connections are query_only.
func checkPragmas(ctx context.Context, conn *sql.Conn) (readsOnly bool, err error) {
	var folds bool
	var journal string
	if err := conn.QueryRowContext(ctx, "SELECT 'a' LIKE 'A'").Scan(&folds); err != nil {
		return false, err
	}
	if !folds {
		return false, problem("case_sensitive_like", "conditions that ignore case would not: leave this pragma out", nil)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return false, err
	}
	if journal == "off" {
		return false, problem("journal_mode", "without a journal nothing can be rolled back: choose WAL", nil)
	}
	if plain, err := plainNames(ctx, conn); err != nil {
		return false, err
	} else if !plain {
		return false, problem("full_column_names", "columns are found by their plain names: leave this pragma out", nil)
	}
	return readsOnly, conn.QueryRowContext(ctx, "PRAGMA query_only").Scan(&readsOnly)
}

// plainNames reports whether a column is called by its name alone.
func plainNames(ctx context.Context, conn *sql.Conn) (bool, error) {
	rows, err := conn.QueryContext(ctx, "SELECT name FROM sqlite_master LIMIT 0")
	if err != nil {
		return false, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return false, err
	}
	return names[0] == "name", rows.Err()
}
