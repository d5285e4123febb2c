package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
)

// state is what of a session others would see who get its connection: what answers and
// writes depend on, and what is in its own schema, which stands in front of the main one.
type state struct {
	settings  string
	queryOnly bool
}

// watchedPragmas are pragmas of which SQLite has a function that only reads.
var watchedPragmas = [...]string{
	"foreign_keys", "defer_foreign_keys", "ignore_check_constraints", "recursive_triggers", "count_changes", "reverse_unordered_selects",
	"read_uncommitted", "short_column_names", "full_column_names", "trusted_schema", "writable_schema",
}

var stateQuery = "SELECT query_only, " + strings.Join(watchedPragmas[:], " || ") +
	" || ('a' LIKE 'A') || coalesce((SELECT group_concat(name || ' ' || coalesce(sql, '')) FROM sqlite_temp_master), '')" +
	" FROM pragma_query_only, pragma_" + strings.Join(watchedPragmas[:], ", pragma_")

var errWritable = errors.New("a statement in it has switched PRAGMA query_only off, by which ReadOnly is kept")

// watch keeps the session's state before the first text that could change it.
func (w *wire) watch() {
	if w.before == nil {
		w.before, _ = w.state()
	}
	w.watched = true
}

func (w *wire) state() (*state, error) {
	rows, err := w.conn.QueryContext(context.Background(), stateQuery, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	row := make([]driver.Value, 2)
	if err := rows.Next(row); err != nil {
		return nil, err
	}
	return &state{fmt.Sprint(row[1]), row[0] != int64(0)}, nil
}

// SessionChanged implements backend.SessionTeller, whatever inspect makes of what has run.
func (w *wire) SessionChanged() bool {
	if !w.watched || !w.Idle() {
		return false
	}
	if w.before == nil { // and asking again might wait as long for the writer
		return true
	}
	now, err := w.state()
	if err != nil || now.settings != w.before.settings || now.queryOnly != w.readsOnly {
		return true
	}
	w.watched = false
	return false
}

// stillReads reports whether a read-only transaction has been one to its end.
func (w *wire) stillReads() bool {
	if !w.reading || !w.watched {
		return true
	}
	now, err := w.state()
	return err == nil && now.queryOnly
}
