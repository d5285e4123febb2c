package dialect

import (
	"errors"
	"fmt"
)

// The kinds of errors, the same on every engine (rule S5). An error of the
// server matches at most one of them with [errors.Is]; the driver's own error
// stays reachable with [errors.As].
var (
	// ErrUniqueViolation: a row with the same key exists.
	// MySQL 1062, 1586; PostgreSQL 23505, 23P01; SQLite CONSTRAINT_UNIQUE, CONSTRAINT_PRIMARYKEY, CONSTRAINT_ROWID.
	ErrUniqueViolation = errors.New("unique violation")
	// ErrForeignKeyViolation: the row that is referred to is missing, or still referred to.
	// MySQL 1216, 1217, 1451, 1452; PostgreSQL 23503, 23001; SQLite CONSTRAINT_FOREIGNKEY.
	ErrForeignKeyViolation = errors.New("foreign key violation")
	// ErrCheckViolation: a CHECK constraint refuses the row.
	// MySQL 3819; MariaDB 4025; PostgreSQL 23514; SQLite CONSTRAINT_CHECK.
	ErrCheckViolation = errors.New("check violation")
	// ErrNotNullViolation: a column that must have a value has none.
	// MySQL 1048, 1364; PostgreSQL 23502; SQLite CONSTRAINT_NOTNULL.
	ErrNotNullViolation = errors.New("not-null violation")
	// ErrLockNotAvailable: somebody else holds the lock (rule L4): at once
	// under NOWAIT, or after the limit on waiting.
	// MySQL 3572, 1205; PostgreSQL 55P03; SQLite BUSY, LOCKED.
	ErrLockNotAvailable = errors.New("lock not available")
	// ErrDeadlock: the server chose this transaction as the victim of a
	// deadlock and has rolled it back. MySQL 1213; PostgreSQL 40P01. SQLite has
	// none: of two writers one is told BUSY.
	ErrDeadlock = errors.New("deadlock")
	// ErrSerializationFailure: the transaction cannot be serialized with
	// others and has to be run again from its start.
	// PostgreSQL 40001, 72000; MySQL 1412 (a table that it reads was rebuilt meanwhile), 3101 (group replication, Galera);
	// MariaDB 1020, 1412; TiDB 8002, 8005, 8022, 8028, 9007; SQLite BUSY_SNAPSHOT.
	ErrSerializationFailure = errors.New("serialization failure")
	// ErrReadOnly: a write in a read-only transaction or on a read-only
	// server. MySQL 1792, 1290, 1836; PostgreSQL 25006; SQLite READONLY.
	ErrReadOnly = errors.New("read only")
	// ErrQueryCanceled: the server stopped the statement: a time limit on the
	// server, or KILL QUERY, pg_cancel_backend.
	// MySQL 1317, 3024; MariaDB 1969; PostgreSQL 57014; SQLite INTERRUPT.
	ErrQueryCanceled = errors.New("query canceled")
	// ErrConnectionLost: the connection ended before the answer came.
	ErrConnectionLost = errors.New("connection lost")
	// ErrTooLarge: the statement or the transaction is larger than the server
	// takes. To run it again is in vain.
	// MySQL 1153, 1197, 3100 (Group Replication, where other failures to bring a
	// transaction to the group have the same number); MariaDB 1180 of wsrep_max_ws_rows
	// and wsrep_max_ws_size; TiDB 8004; a statement beyond max_allowed_packet.
	ErrTooLarge = errors.New("too large")
	// ErrUnsupported: the server cannot do this (rule L3). Found before
	// anything is sent, where that is known; else PostgreSQL 0A000, such as
	// SERIALIZABLE on a standby.
	ErrUnsupported = errors.New("unsupported")
)

// Error is an error of the server or of the connection to it, with its kind.
//
// Its text has the engine, the kind, the server's code and the server's message
// without the values in it: servers quote the row's values in some messages,
// and values have no place in a log. The driver's own error, reached with
// [errors.As], has everything.
type Error struct {
	Engine  string // "mysql", "mariadb", "postgres", "sqlite"
	Kind    error  // one of the kinds above, or nil
	Code    string // the server's code: "1213", "40P01", "SQLITE_BUSY"; "" if it did not come from the server
	Message string // the server's message, free of values
	// Constraint is the name of the key or the constraint that was violated, as the
	// server writes it, and "" where it says none. It tells two unique keys of a table
	// apart, is never taken from a text that an application has raised, and holds no value.
	//
	// PostgreSQL names every constraint but NOT NULL (field n of its errors:
	// https://www.postgresql.org/docs/current/protocol-error-fields.html). MySQL and
	// MariaDB name a key, a foreign key or a check in their message, in English only; a
	// primary key is "PRIMARY", and the check of a column on MariaDB "table.column".
	// SQLite names a check, or tells its expression if it has no name, and an index on
	// expressions. It names no foreign key, and of other keys the Columns.
	// (https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html;
	// sqlite3UniqueConstraint in SQLite's insert.c.)
	Constraint string
	// Columns are the columns that were violated, where the server says them: the one
	// that must not be NULL on every engine, and those of a unique key on SQLite, in the
	// key's order.
	Columns []string
	// Fatal is true if the error has ended the whole transaction on the
	// server, not only the statement (rule B8).
	Fatal bool
	// NotSent is true if the statement certainly never reached the server.
	NotSent bool
	Err     error // the driver's error
}

// Error describes the error without values.
func (e *Error) Error() string {
	s := e.Engine
	if e.Kind != nil {
		s += ": " + e.Kind.Error()
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	return s
}

// Is reports whether target is the error's kind.
func (e *Error) Is(target error) bool { return e.Kind != nil && target == e.Kind }

// Unwrap returns the driver's error.
func (e *Error) Unwrap() error { return e.Err }

// OpenError says why a database could not be opened and which setting to look
// at. It never holds a password.
type OpenError struct {
	Engine  string // the engine that was asked for
	Setting string // "host", "port", "user", "password", "database", "dsn", "version", "tls", …
	Problem string // what is wrong and what to do
	Err     error  // the driver's error; nil if its text could hold a secret
}

// Error names the engine, the setting and the problem.
func (e *OpenError) Error() string {
	at := "holdfast: open"
	if e.Engine != "" { // else nobody knows yet
		at += " " + e.Engine
	}
	return at + ": " + e.Setting + ": " + e.Problem
}

// Unwrap returns the driver's error.
func (e *OpenError) Unwrap() error { return e.Err }

// UnsupportedError says what the server cannot do. It matches ErrUnsupported.
type UnsupportedError struct {
	Server  Server // engine and version
	Feature string // "SKIP LOCKED"
	Hint    string // what would help: "needs MariaDB 10.6"; may be ""
}

// Error names the feature, the engine and its version.
func (e *UnsupportedError) Error() string {
	s := fmt.Sprintf("holdfast: %s is not supported by %s", e.Feature, e.Server)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Is reports whether target is ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }
