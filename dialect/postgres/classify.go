package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// kinds gives SQLSTATEs their kind
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
var kinds = map[string]error{
	"23505": dialect.ErrUniqueViolation,
	"23P01": dialect.ErrUniqueViolation, // exclusion constraint
	"23503": dialect.ErrForeignKeyViolation,
	"23001": dialect.ErrForeignKeyViolation, // ON DELETE RESTRICT
	"23514": dialect.ErrCheckViolation,
	"23502": dialect.ErrNotNullViolation,
	"55P03": dialect.ErrLockNotAvailable,
	"40P01": dialect.ErrDeadlock,
	"40001": dialect.ErrSerializationFailure,
	"72000": dialect.ErrSerializationFailure, // the snapshot is too old (old_snapshot_threshold, before 17)
	"40003": dialect.ErrConnectionLost,       // statement completion unknown
	"25006": dialect.ErrReadOnly,
	"54001": dialect.ErrTooLarge, // the statement is too complex for the stack
	"54011": dialect.ErrTooLarge, // too many columns
	"54023": dialect.ErrTooLarge, // too many arguments; 54000 is also said of one value in an index
	"57014": dialect.ErrQueryCanceled,
	"57P01": dialect.ErrConnectionLost, // pg_terminate_backend, shutdown
	"57P02": dialect.ErrConnectionLost, // another server process crashed
	"57P03": dialect.ErrConnectionLost, // starting up, shutting down
	"57P05": dialect.ErrConnectionLost, // idle_session_timeout
	"25P03": dialect.ErrConnectionLost, // idle_in_transaction_session_timeout
	"25P04": dialect.ErrConnectionLost, // transaction_timeout
}

// Classify implements backend.Engine.
func (e *engine) Classify(err error) *dialect.Error {
	if err == nil {
		return nil
	}
	c := &dialect.Error{Engine: dialect.Postgres, Err: err}
	var unsent *backend.NotSentError
	var connect *pgconn.ConnectError
	if !errors.As(err, &unsent) && errors.As(err, &connect) {
		c.NotSent, c.Kind, c.Fatal = true, dialect.ErrConnectionLost, true
		err = errors.Unwrap(connect) // without the configuration
		c.Err = err
	}

	a, answered := answerOf(err)
	switch {
	case answered:
		c.Code, c.Message = a.code, a.safeMessage()
		c.Constraint, c.Columns = a.violated()
		if kind := kinds[a.code]; kind != nil {
			c.Kind = kind
		}
		if message, kind := a.cannot(); kind != nil {
			c.Kind, c.Message = kind, message
		}
		if a.ends() && c.Kind == nil {
			c.Kind = dialect.ErrConnectionLost
		}
		c.Fatal = c.Fatal || a.ends() || a.endsTransaction()
		var old *outdatedError
		if errors.As(err, &old) && old.certain() {
			c.Kind = dialect.ErrSerializationFailure
		}
	case unsent != nil:
		c.Message = err.Error()
		if errors.Is(err, errSeveral) {
			c.Kind = dialect.ErrUnsupported
		}
	case connect != nil, connectionError(err):
		c.Kind, c.Fatal, c.Message = dialect.ErrConnectionLost, true, err.Error()
	default:
		c.Message = driverMessage(err)
	}
	return c
}

// driverMessage is the text of an error that is neither the server's nor the network's.
// Where another driver hands values on to pgx, pgx quotes the one that it cannot encode.
func driverMessage(err error) string {
	text := err.Error()
	if at := strings.Index(text, "failed to encode args["); at >= 0 {
		if end := strings.Index(text[at:], ":"); end >= 0 {
			return text[:at+end]
		}
	}
	return text
}

// connectionError reports whether err, which is no answer of the server, came
// of a connection that is gone. An error of ctx is one only if the statement
// was under way: the wire says so.
func connectionError(err error) bool {
	if errors.Is(err, dialect.ErrConnectionLost) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var network net.Error
	return errors.As(err, &network)
}

// answer is an error message of the server.
type answer struct {
	severity, code, message string
	routine                 string // of the server's source
	constraint, column      string
	placed                  bool // at a position of the statement's text, or of the text as a whole
}

// ofText is the place in the server's source that looks at whole texts.
const ofText = "exec_parse_message"

// answerOf finds the server's answer in err: pgx's, or that of another driver
// which hands its fields out.
func answerOf(err error) (a answer, ok bool) {
	var own *pgconn.PgError
	if errors.As(err, &own) {
		return answer{
			severity: severity(own), code: own.Code, message: own.Message, routine: own.Routine,
			constraint: own.ConstraintName, column: own.ColumnName, placed: own.Position > 0 || own.Routine == ofText,
		}, true
	}
	var pq interface {
		error
		Get(byte) string
	}
	if errors.As(err, &pq) {
		return answerIn(pq.Get)
	}
	var pgdriver interface {
		error
		Field(byte) string
	}
	if errors.As(err, &pgdriver) {
		return answerIn(pgdriver.Field)
	}
	return a, false
}

// answerIn reads the fields of an error message
// (https://www.postgresql.org/docs/current/protocol-error-fields.html).
func answerIn(field func(byte) string) (a answer, ok bool) {
	a = answer{
		severity: field('V'), code: field('C'), message: field('M'), routine: field('R'),
		constraint: field('n'), column: field('c'), placed: field('P') != "" || field('R') == ofText,
	}
	if a.severity == "" {
		a.severity = field('S')
	}
	return a, a.code != ""
}

// severity is not translated, unless by a proxy that knows of no other.
func severity(e *pgconn.PgError) string {
	if e.SeverityUnlocalized != "" {
		return e.SeverityUnlocalized
	}
	return e.Severity
}

// ends reports whether the server ends the session with e.
func ends(e *pgconn.PgError) bool { return answer{severity: severity(e)}.ends() }

func (a answer) ends() bool {
	return strings.EqualFold(a.severity, "FATAL") || strings.EqualFold(a.severity, "PANIC")
}

// cannot knows answers of a kind that their code alone does not tell.
func (a answer) cannot() (message string, kind error) {
	switch {
	case a.code == "0A000" && a.routine == outdatedRoutine:
		return a.message, dialect.ErrSerializationFailure
	case a.code == "0A000": // feature_not_supported, such as SERIALIZABLE on a standby
		return a.message, dialect.ErrUnsupported
	case a.code == "55000" && a.routine == "pg_current_wal_lsn":
		return "an advisory lock of a standby locks nothing on the primary", dialect.ErrUnsupported
	case a.code == "08P01" && strings.HasPrefix(a.message, "transaction blocks not allowed"):
		return a.message + "; have PgBouncer pool transactions or sessions", dialect.ErrUnsupported
	}
	return "", nil
}

// outdatedRoutine is the place at which the server finds out that what it has
// prepared has other columns now.
const outdatedRoutine = "RevalidateCachedQuery"

// endsTransaction reports whether nothing but ROLLBACK makes sense after a
// (rule B8): the transaction cannot succeed any more, or the savepoint to go
// back to does not exist.
func (a answer) endsTransaction() bool {
	switch a.code {
	case "40001", "72000", "40P01", "40003", "3B001", "57P01", "57P02", "57P03":
		return true
	case "08P01": // a statement and its arguments that do not fit together
		return false
	}
	return strings.HasPrefix(a.code, "08")
}
