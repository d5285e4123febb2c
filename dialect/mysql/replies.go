package mysql

import (
	"database/sql/driver"
	"reflect"
)

// replies is what the driver has read from the server in answer to the last
// command. The driver keeps it in two fields of its connection and shows
// neither: status, the flags of the last OK packet, and result.affectedRows,
// one element for each result that began.
//
// They are read by reflection because nothing else can know. Which statement of
// a text has failed decides whether a savepoint exists, and an error number
// does not tell: KILL QUERY can hit any of them, and a proxy can refuse any of
// them with a number of its own. Reading the packets off the network would see
// nothing under TLS. A driver whose fields are not as expected is noticed when
// a database is opened, and is then used with one round trip for each control
// statement, which needs none of this.
//
// Only the goroutine that uses the connection writes these fields, so that
// reading them from it is no race.
type replies struct {
	status   reflect.Value
	affected reflect.Value

	last     lastAnswer
	seesLast bool
}

// repliesOf finds the fields of the driver's connection.
func repliesOf(conn driver.Conn) (r replies, ok bool) {
	v := reflect.ValueOf(conn)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return replies{}, false
	}
	r.status = v.Elem().FieldByName("status")
	if result := v.Elem().FieldByName("result"); result.Kind() == reflect.Struct {
		r.affected = result.FieldByName("affectedRows")
	}
	r.last, r.seesLast = lastAnswerOf(conn)
	return r, r.status.CanUint() && r.affected.Kind() == reflect.Slice
}

// results counts the results of the last command, one that was an error
// included.
func (r replies) results() int { return r.affected.Len() }

// Flags of the protocol, as in the server's SERVER_STATUS_flags_enum.
const (
	statusInTransaction = 1 << 0
	statusAutocommit    = 1 << 1
	statusNoBackslash   = 1 << 9
	statusChanged       = 1 << 14 // SERVER_SESSION_STATE_CHANGED
)

// inTransaction reports whether the server said, when it last said anything but
// an error, that a transaction is open.
func (r replies) inTransaction() bool { return r.status.Uint()&statusInTransaction != 0 }

// noBackslash reports whether the driver will take it that a backslash escapes
// nothing.
func (r replies) noBackslash() bool { return r.status.Uint()&statusNoBackslash != 0 }

// sessionChanged reports whether the server said that a variable which it tracks
// for the session has been assigned to (session_track_system_variables: the
// character sets, autocommit and the time zone by default).
func (r replies) sessionChanged() bool { return r.status.Uint()&statusChanged != 0 }

// idle reports whether the server said that no transaction is open and that
// none opens by itself.
func (r replies) idle() bool {
	return r.status.Uint()&(statusInTransaction|statusAutocommit) == statusAutocommit
}
