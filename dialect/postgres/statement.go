package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// statement is one statement that the server has described, and prepared if it
// has a name.
type statement struct {
	text    string
	sd      *pgconn.StatementDescription
	formats []int16 // of the result's columns

	types []uint32 // that parameters are given where the server finds none; 0: its own

	known bool // the connection remembers it
	once  bool // and is not to: its caller has asked for that

	// described is false if the columns have to be asked for each time: those of
	// FETCH and EXECUTE depend on more than their text.
	described bool
	// silent is true if the statement has no result but a count.
	silent bool
	// timestamps is true if a parameter is a timestamp without time zone.
	timestamps bool

	params  pgconn.StatementDescription // sd without its fields: all that binding needs
	columns *columns                    // of the last result
}

// undescribed keeps pgconn from asking the server for columns, as it does for
// each statement that is not known to have any.
var undescribed = []pgconn.FieldDescription{{}}

func newStatement(text string) *statement {
	return &statement{text: text, sd: &pgconn.StatementDescription{SQL: text}}
}

// describe takes over what the server says of the statement.
func (st *statement) describe(sd *pgconn.StatementDescription) {
	sd.Name, sd.SQL = st.sd.Name, st.text
	st.sd, st.known = sd, !st.once
	if lex.PostgresSyntax.Plain(st.text) {
		st.described = true
		st.formats = make([]int16, len(sd.Fields))
		for i, f := range sd.Fields {
			st.formats[i] = formatOf(f.DataTypeOID)
		}
		if sd.Fields == nil {
			st.silent, sd.Fields = true, undescribed
		}
	} // else the columns, whatever they will be, are read as text
	st.params.ParamOIDs = sd.ParamOIDs
	st.timestamps = slices.ContainsFunc(sd.ParamOIDs, func(oid uint32) bool {
		return oid == pgtype.TimestampOID || oid == pgtype.TimestampArrayOID
	})
}

// nameOf is the name of a caller's prepared statement. It follows from the text,
// so that behind a pooler which hands one session to several clients a name
// never means another's statement: the worst is an error.
func nameOf(text string) string {
	digest := sha256.Sum256([]byte(text))
	return "holdfast_" + hex.EncodeToString(digest[:24])
}

// nameOfControl is the name of a control statement: itself, so that it can be
// told by whoever looks at the traffic, unless that is longer than the server
// looks at.
func nameOfControl(text string) string {
	if len(text) <= 63 {
		return text
	}
	return "control_" + nameOf(text)[:48]
}

// forget drops a statement that the server may refuse again and again because
// of what is kept of it: its tables or types have changed since it was prepared,
// or somebody has closed it. The statement is not sent again: that is for
// whoever knows what it does. st is nil if a control statement failed.
func (w *wire) forget(st *statement, failure error) {
	var e *pgconn.PgError
	if !errors.As(failure, &e) {
		return
	}
	if e.Code == "26000" || e.Code == "42P05" || e.Code == "0A000" && e.Routine == outdatedRoutine {
		// What has come to one comes to the others of the connection.
		w.drop(w.statements.dropAll()...)
		w.drop(w.controls.dropAll()...)
		return
	}
	if st != nil && (mayBeOutdated[e.Code] || strings.HasPrefix(e.Code, "0A") || strings.HasPrefix(e.Code, "42") || strings.HasPrefix(e.Code, "XX")) {
		w.drop(w.statements.drop(st.text)...)
	}
}

// mayBeOutdated are further codes with which the server refuses arguments that are
// encoded for a type that their parameter no longer has.
var mayBeOutdated = map[string]bool{
	"08P01": true, "22003": true, "22007": true, "22008": true, "22021": true, "22P02": true, "22P03": true,
}

// outdated reports whether the server has refused a statement that it once
// accepted, before running it: while it looked up what it had prepared, read its
// text again, or read its arguments. An error in what the statement runs has a
// context of its own.
func outdated(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || ends(e) || errors.As(err, new(*backend.PrefixError)) || errors.As(err, new(*backend.EndedError)) {
		return false
	}
	switch {
	case e.Code == "0A000":
		return e.Routine == outdatedRoutine
	case e.Code == "26000", e.Code == "08P01", e.Code == "22P03":
		return e.Where == "" || isParameter(e.Where)
	case mayBeOutdated[e.Code]:
		return isParameter(e.Where)
	}
	return strings.HasPrefix(e.Code, "42") && e.Position > 0 && e.Where == "" && e.InternalQuery == ""
}

// isParameter reports whether where is "portal parameter $1", in any language, and
// nothing else. PostgreSQL says so since 16.
func isParameter(where string) bool {
	i := strings.IndexByte(where, '$')
	return i >= 0 && i+1 < len(where) && where[i+1] >= '1' && where[i+1] <= '9' && !strings.Contains(where, "\n")
}

// outdatedError is a statement that was refused although nothing is wrong with it:
// run from its start again, the transaction would meet with what has changed.
type outdatedError struct{ err error }

func (e *outdatedError) Error() string { return e.err.Error() }
func (e *outdatedError) Unwrap() error { return e.err }

// certain tells apart an argument that is no value of its type.
func (e *outdatedError) certain() bool {
	var refused *pgconn.PgError
	if !errors.As(e.err, &refused) {
		return false
	}
	switch refused.Code {
	case "0A000", "26000", "08P01", "22P03", "42804":
		return true
	}
	return false
}

// drop has prepared statements closed with the next statement.
func (w *wire) drop(names ...string) {
	for _, name := range names {
		if name != "" {
			w.dropped = append(w.dropped, name)
		}
	}
}
