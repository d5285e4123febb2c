package sqlite

import (
	"errors"
	"fmt"
	"strings"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/holdfast-go/holdfast/dialect"
)

func classify(err error) *dialect.Error {
	if err == nil {
		return nil
	}
	e := &dialect.Error{Engine: dialect.SQLite, Err: err, Message: err.Error()}
	var ended *endedError
	e.Fatal = errors.As(err, &ended)
	var known *modernc.Error
	switch {
	case errors.As(err, &known):
		e.Code, e.Message, e.Kind = codeName(known.Code()), message(known), kindOfCode(known.Code())
		e.Constraint, e.Columns = violated(e.Kind, e.Message)
		var valued *valuedError
		if errors.As(err, &valued) && (known.Code()&0xff != sqlite3.SQLITE_CONSTRAINT || known.Code() == sqlite3.SQLITE_CONSTRAINT_VTAB) {
			e.Message = withoutValues(e.Message, valued.text)
		}
		// The snapshot is too old for good: only a new transaction can write.
		e.Fatal = e.Fatal || known.Code() == sqlite3.SQLITE_BUSY_SNAPSHOT
	case errors.Is(err, errQueued):
		e.Code, e.Kind = "SQLITE_BUSY", dialect.ErrLockNotAvailable
	case errors.Is(err, dialect.ErrUnsupported):
		e.Kind = dialect.ErrUnsupported
	case errors.Is(err, dialect.ErrConnectionLost):
		e.Kind, e.Fatal = dialect.ErrConnectionLost, true
	}
	var unanswered *unansweredError
	if errors.As(err, &unanswered) {
		e.Kind = dialect.ErrConnectionLost
		e.Message = "no answer whether it was applied: " + e.Message
	}
	return e
}

func kindOf(err error) error {
	if err == nil {
		return nil
	}
	return classify(err).Kind
}

// kindOfCode goes by the extended code where it says more
// (https://www.sqlite.org/rescode.html).
func kindOfCode(code int) error {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return dialect.ErrUniqueViolation
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return dialect.ErrForeignKeyViolation
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return dialect.ErrCheckViolation
	case sqlite3.SQLITE_CONSTRAINT_NOTNULL:
		return dialect.ErrNotNullViolation
	case sqlite3.SQLITE_BUSY_SNAPSHOT:
		return dialect.ErrSerializationFailure
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return dialect.ErrLockNotAvailable
	case sqlite3.SQLITE_READONLY:
		return dialect.ErrReadOnly
	case sqlite3.SQLITE_INTERRUPT:
		return dialect.ErrQueryCanceled
	}
	return nil
}

// message is SQLite's own message without what the driver puts around it and
// without values: a syntax error quotes the text, in which there may be some,
// and a trigger says whatever it likes.
func message(e *modernc.Error) string {
	s := e.Error()
	if end := strings.LastIndex(s, fmt.Sprintf(" (%d)", e.Code())); end >= 0 {
		s = s[:end]
	}
	if e.Code() == sqlite3.SQLITE_CONSTRAINT_TRIGGER {
		return "refused by a trigger"
	}
	for _, general := range [...]string{"constraint failed: ", "SQL logic error: "} {
		s = strings.TrimPrefix(s, general)
	}
	if _, ours, ok := strings.Cut(s, "bad JSON path: 'holdfast: "); ok { // a check in a statement of the query builder's
		return strings.TrimSuffix(ours, "'")
	}
	if strings.HasPrefix(s, "unrecognized token: ") {
		return "unrecognized token"
	}
	if token, after, ok := strings.Cut(strings.TrimPrefix(s, `near "`), `": `); ok && strings.HasPrefix(s, `near "`) {
		if token == "" || strings.ContainsAny(token[:1], `'"0123456789xX`) {
			return after
		}
	}
	return s
}

// codeName is the name of a result code as SQLite's manual writes it.
func codeName(code int) string {
	if name := extendedNames[code]; name != "" {
		return "SQLITE_" + name
	}
	if name := primaryNames[code&0xff]; name != "" {
		if code > 0xff {
			return fmt.Sprintf("SQLITE_%s (%d)", name, code)
		}
		return "SQLITE_" + name
	}
	return fmt.Sprintf("SQLITE %d", code)
}

var primaryNames = map[int]string{
	1: "ERROR", 2: "INTERNAL", 3: "PERM", 4: "ABORT", 5: "BUSY", 6: "LOCKED", 7: "NOMEM", 8: "READONLY",
	9: "INTERRUPT", 10: "IOERR", 11: "CORRUPT", 12: "NOTFOUND", 13: "FULL", 14: "CANTOPEN", 15: "PROTOCOL",
	17: "SCHEMA", 18: "TOOBIG", 19: "CONSTRAINT", 20: "MISMATCH", 21: "MISUSE", 22: "NOLFS", 23: "AUTH",
	25: "RANGE", 26: "NOTADB",
}

var extendedNames = map[int]string{
	sqlite3.SQLITE_BUSY_RECOVERY:         "BUSY_RECOVERY",
	sqlite3.SQLITE_BUSY_SNAPSHOT:         "BUSY_SNAPSHOT",
	sqlite3.SQLITE_BUSY_TIMEOUT:          "BUSY_TIMEOUT",
	sqlite3.SQLITE_LOCKED_SHAREDCACHE:    "LOCKED_SHAREDCACHE",
	sqlite3.SQLITE_CONSTRAINT_CHECK:      "CONSTRAINT_CHECK",
	sqlite3.SQLITE_CONSTRAINT_COMMITHOOK: "CONSTRAINT_COMMITHOOK",
	sqlite3.SQLITE_CONSTRAINT_DATATYPE:   "CONSTRAINT_DATATYPE",
	sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "CONSTRAINT_FOREIGNKEY",
	sqlite3.SQLITE_CONSTRAINT_NOTNULL:    "CONSTRAINT_NOTNULL",
	sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "CONSTRAINT_PRIMARYKEY",
	sqlite3.SQLITE_CONSTRAINT_ROWID:      "CONSTRAINT_ROWID",
	sqlite3.SQLITE_CONSTRAINT_TRIGGER:    "CONSTRAINT_TRIGGER",
	sqlite3.SQLITE_CONSTRAINT_UNIQUE:     "CONSTRAINT_UNIQUE",
	sqlite3.SQLITE_CONSTRAINT_VTAB:       "CONSTRAINT_VTAB",
	sqlite3.SQLITE_READONLY_CANTINIT:     "READONLY_CANTINIT",
	sqlite3.SQLITE_READONLY_CANTLOCK:     "READONLY_CANTLOCK",
	sqlite3.SQLITE_READONLY_DBMOVED:      "READONLY_DBMOVED",
	sqlite3.SQLITE_READONLY_DIRECTORY:    "READONLY_DIRECTORY",
	sqlite3.SQLITE_READONLY_RECOVERY:     "READONLY_RECOVERY",
	sqlite3.SQLITE_READONLY_ROLLBACK:     "READONLY_ROLLBACK",
	sqlite3.SQLITE_CANTOPEN_ISDIR:        "CANTOPEN_ISDIR",
	sqlite3.SQLITE_CORRUPT_INDEX:         "CORRUPT_INDEX",
	sqlite3.SQLITE_IOERR_FSYNC:           "IOERR_FSYNC",
	sqlite3.SQLITE_IOERR_READ:            "IOERR_READ",
	sqlite3.SQLITE_IOERR_SHORT_READ:      "IOERR_SHORT_READ",
	sqlite3.SQLITE_IOERR_WRITE:           "IOERR_WRITE",
	sqlite3.SQLITE_IOERR_SHMMAP:          "IOERR_SHMMAP",
	sqlite3.SQLITE_IOERR_SHMSIZE:         "IOERR_SHMSIZE",
	sqlite3.SQLITE_IOERR_TRUNCATE:        "IOERR_TRUNCATE",
	sqlite3.SQLITE_IOERR_DELETE_NOENT:    "IOERR_DELETE_NOENT",
}
