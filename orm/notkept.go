package orm

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
)

// NotKeptError says that the server has carried a statement out, and reports no error, but
// has kept fewer rows than it was sent, or has left rows as they were (rule S9). A trigger
// has passed over them: RETURN NULL before the row on PostgreSQL, RAISE(IGNORE) on
// SQLite, SIGNAL SQLSTATE '02TRG' on MariaDB from 11.8. So does a rule of PostgreSQL, and a
// key of SQLite that is declared ON CONFLICT IGNORE. Which of the rows they are no server tells: keys that it gave are in no struct then.
//
// A trigger that writes the row to another table and returns NULL, as partitions were made before
// PostgreSQL had them, is one of these: the row is there, in a table that the statement
// did not name. Such a table is written with [DB.Exec] or db.SQL(), or its
// parts by models of their own.
type NotKeptError struct {
	Sent int // rows
	Kept int // of them, as the server counts

	// Written: the statement was sent outside any block. What it has kept, and what a
	// trigger has written elsewhere, is committed: to do it again could do it twice.
	Written bool
}

// Error says how many, and what to do.
func (e *NotKeptError) Error() string {
	reason := fmt.Sprintf("the server has kept %d of %d rows, without an error: a trigger or a rule has passed over the others, or has written them elsewhere; "+
		"have it raise an error, or write such a table with DB.Exec", e.Kept, e.Sent)
	if e.Written {
		reason += " (the statement was sent outside any block: what it has written is committed)"
	}
	return reason
}

// notKept is the error of a statement of ctx.
func (db *DB) notKept(ctx context.Context, sent, kept int) *NotKeptError {
	return &NotKeptError{Sent: sent, Kept: kept, Written: !db.executor.Encloses(ctx)}
}

// passesOver reports whether the server may have triggers that leave a row out without an
// error: all but MySQL, MariaDB by SIGNAL SQLSTATE '02TRG' (MDEV-34724).
func (db *DB) passesOver() bool {
	return db.Server().Engine != dialect.MySQL
}

// keptAll judges an INSERT that should have kept all of its rows, and whose result then takes.
func (q set[P]) keptAll(ctx context.Context, sent int, then func(driver.Result) error) func(driver.Result) error {
	return func(res driver.Result) error {
		kept, err := res.RowsAffected()
		if err == nil && kept < int64(sent) {
			err = q.unlessUncounted(ctx, sent, int(kept))
		}
		if err != nil || then == nil {
			return err
		}
		return then(res)
	}
}

// viewQueries say what the name of a table is on SQLite, as it looks for it.
const (
	viewQuery = `SELECT type FROM (SELECT 0 AS place, type, name FROM sqlite_temp_schema UNION ALL SELECT 1, type, name FROM sqlite_schema)
WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE ORDER BY place LIMIT 1`
	viewQueryOf = `SELECT type FROM %s.sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE`
)

// unlessUncounted is a NotKeptError, but for a view on SQLite: it does not count what INSTEAD OF
// triggers write (its manual, "sqlite3_changes"), so that nobody knows.
func (q set[P]) unlessUncounted(ctx context.Context, sent, kept int) error {
	short := q.db.notKept(ctx, sent, kept)
	if q.db.Server().Engine != dialect.SQLite {
		return short
	}
	text, name := viewQuery, q.model.Table.Name
	if schema, table, qualified := strings.Cut(name, "."); qualified {
		text, name = fmt.Sprintf(viewQueryOf, `"`+strings.ReplaceAll(schema, `"`, `""`)+`"`), table
	}
	view := false
	err := q.db.executor.Query(ctx, block.Statement{SQL: text, Args: []any{name}}, func(rows driver.Rows) error {
		values := make([]driver.Value, 1)
		there, err := next(rows, values)
		view = there && values[0] == "view"
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("%w; whether it is a view could not be seen: %w", short, err)
	case view:
		return nil
	}
	return short
}

// sendReturning sends an INSERT and puts the columns that it returns into the rows, which
// the server returns in the order in which they were sent. It returns how many there were: if
// they are fewer than were sent the structs hold nothing of them.
func (q set[P]) sendReturning(ctx context.Context, text render.Text, insert *render.Insert) (kept int, err error) {
	err = q.db.executor.Query(ctx, q.db.built(text), func(rows driver.Rows) (err error) {
		kept, err = q.scanColumns(rows, insert.Returning, insert.Rows)
		if err != nil && kept < len(insert.Rows) {
			err = fmt.Errorf("%w; of those that were kept one cannot be read: %w", q.db.notKept(ctx, len(insert.Rows), kept), err)
		}
		return err
	})
	return kept, err
}

// sendCounted sends an upsert that returns nothing, and returns how many rows it has written.
// Where one that is updated counts twice, each is returned instead.
func (q set[P]) sendCounted(ctx context.Context, text render.Text) (kept int, err error) {
	if q.db.models.HasTarget() {
		n, err := q.matched(ctx, text, nil)
		return int(n), err
	}
	st := q.db.built(text)
	st.SQL += " RETURNING 1"
	err = q.db.executor.Query(ctx, st, func(rows driver.Rows) error {
		kept = 0
		values := make([]driver.Value, 1)
		for {
			if more, err := next(rows, values); !more {
				return err
			}
			kept++
		}
	})
	return kept, err
}
