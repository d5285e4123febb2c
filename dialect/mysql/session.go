package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// session is what is known of the settings that decide how the server reads a
// text. The driver writes values into it as UTF-8: under gbk, big5, sjis, cp932 or
// gb18030 the last byte of a character can be a backslash or swallow a quote, and
// what follows in the value would be code. Whether a backslash escapes the driver
// sees in the flags of the last answer, which an error does not have.
//
// Texts that change such a setting are refused (inspectSet). What they do not
// show (EXECUTE, a trigger) is seen by state: by the flag that the server sets
// when one of the tracked variables has changed, and by sessionCheck in front of
// the statement that follows one that might have changed them.
type session struct {
	reading bool // rows of a caller's statement are on their way, or their end was not looked at
	unsure  bool // the settings may have changed
	stale   bool // so may the flags of the last answer
	changed bool // the server says that something has changed: not for others
}

// sessionCheck fails unless the session is as it was opened. A subquery of two
// rows is an error that can be had in an expression; DO would swallow it.
const sessionCheck = "SET @hf_session = IF(@@character_set_client = 'utf8mb4' AND @@character_set_connection = 'utf8mb4' " +
	"AND @@character_set_results = 'utf8mb4', NULL, (SELECT 1 UNION ALL SELECT 2))"

var errSession = errors.New("a statement has changed the session's character set unseen (SET NAMES in a prepared statement or a trigger): " +
	"text is utf8mb4 on the wire, so the connection is closed")

// certain puts sessionCheck in front of the statements of prefix if it is needed,
// or sends it ahead.
func (w *wire) certain(ctx context.Context, prefix []string, route way, values []driver.NamedValue) ([]string, error) {
	if !w.unsure {
		return prefix, nil
	}
	w.unsure = false
	if route == asText && !w.apart && !(w.stale && textual(values)) {
		return append([]string{sessionCheck}, prefix...), nil
	}
	w.stale = false
	return prefix, w.control(ctx, []string{sessionCheck})
}

// textual reports whether the driver writes any of values as a literal in quotes.
func textual(values []driver.NamedValue) bool {
	for _, v := range values {
		switch v.Value.(type) {
		case nil, bool, int64, uint64, float64, time.Time:
		default:
			return true
		}
	}
	return false
}

// note looks at the server's answer to a statement of the caller's.
func (w *wire) note(query string) {
	w.reading = false
	if w.replies.sessionChanged() {
		w.changed, w.unsure = true, true
	}
	w.unsure = w.unsure || disturbs(query)
}

// failed is note for an answer that was an error.
func (w *wire) failed(query string) {
	if disturbs(query) {
		w.unsure, w.stale = true, true
	}
}

// disturbs reports whether query may change a setting of the session.
func disturbs(query string) bool {
	if query == "" || lex.MySQLSyntax.Plain(query) {
		return false
	}
	v := inspect(query)
	return v.Opaque || v.Session || v.Control != ""
}
