package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// session is what is known of the settings that decide how the server reads a
// text. The driver writes values into it as UTF-8: under gbk, big5, sjis, cp932 or
// gb18030 the last byte of a character can be a backslash or swallow a quote, and
// what follows in the value would be code. Whether a backslash escapes the driver
// sees in a flag of the last answer. An error has no flags; and a routine that sets
// sql_mode leaves the flag as it was inside, though the server takes the mode back.
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
	quotes  bool // the flag NO_BACKSLASH_ESCAPES when it was last known to be right
	blind   bool // the server does not say what a trigger has changed: a network of the driver's, a proxy
}

// sessionCheck fails unless the character sets are those with which the session
// was opened, a backslash escapes or not as the driver will take it (quotes), and
// sql_mode has nothing that changes values. A subquery of two rows is an error that can be had in an expression; DO would
// swallow it.
func sessionCheck(quotes bool) string {
	escapes := "= 0"
	if quotes {
		escapes = "> 0"
	}
	return checkStart + " AND FIND_IN_SET('NO_BACKSLASH_ESCAPES', @@sql_mode) " + escapes + " AND " + sameModes + ", NULL, (SELECT 1 UNION ALL SELECT 2))"
}

const checkStart = "SET @hf_session = IF(@@character_set_client = 'utf8mb4' AND @@character_set_connection = 'utf8mb4' " +
	"AND @@character_set_results = 'utf8mb4'"

// resync makes the server set its flag anew.
const resync = "SET @@SESSION.sql_mode = @@SESSION.sql_mode"

var errSession = errors.New("a statement has changed the session's character set, or sql_mode, unseen (SET in a prepared statement, a routine or a trigger): " +
	"text is utf8mb4 on the wire and no mode may change values, so the connection is closed")

// certain puts sessionCheck in front of the statements of prefix if it is needed,
// or sends it ahead.
func (w *wire) certain(ctx context.Context, prefix []string, route way, values []driver.NamedValue) ([]string, error) {
	flag := w.replies.noBackslash()
	if flag == w.quotes && !w.unsure || !w.unsure && !textual(values) {
		return prefix, nil
	}
	// In the same text, where the flag is as new as what is unsure.
	if w.unsure && route == asText && !w.apart && !(w.stale && textual(values)) {
		if !w.stale {
			w.quotes = flag
		}
		w.unsure = false
		return append([]string{sessionCheck(w.quotes)}, prefix...), nil
	}
	w.unsure, w.stale = false, false
	if err := w.control(ctx, []string{resync}); err != nil {
		return prefix, err
	}
	w.quotes = w.replies.noBackslash()
	return prefix, w.control(ctx, []string{sessionCheck(w.quotes)})
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
	if w.replies.sessionChanged() && !w.onlyTold() {
		w.changed, w.unsure = true, true
	}
	w.unsure = w.unsure || w.blind && !triggersNothing(query)
	if disturbs(query) {
		v := inspect(query)
		w.unsure, w.unseen, w.steered = true, w.unseen || v.Opaque, w.steered || v.Control == "XA"
	}
}

// onlyTold reports whether what has changed is no more than where the last commit
// stands.
func (w *wire) onlyTold() bool {
	if !w.tracks {
		return false
	}
	told, ok := w.replies.told()
	return ok && !told.other
}

// failed is note for an answer that was an error.
func (w *wire) failed(query string) {
	w.unsure = w.unsure || w.blind && !triggersNothing(query)
	if disturbs(query) {
		w.unsure, w.stale, w.unseen = true, true, w.unseen || opaque(query)
	}
}

// triggersNothing reports whether query is known to write nothing.
func triggersNothing(query string) bool {
	return query == "" || lex.MySQLSyntax.Plain(query) && len(query) > 6 && strings.EqualFold(query[:6], "SELECT")
}

// disturbs reports whether query may change a setting of the session.
func disturbs(query string) bool {
	if query == "" || lex.MySQLSyntax.Plain(query) {
		return false
	}
	v := inspect(query)
	return v.Opaque || v.Session || v.Control != ""
}
