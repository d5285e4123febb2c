package mysql

import (
	"database/sql/driver"
	"reflect"
)

// replies is what the driver has read from the server in answer to the last
// command. The driver keeps it in fields of its connection that it does not show:
// status, the flags of the last OK packet, and result.affectedRows and insertIds,
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
	ids      reflect.Value

	seesIDs bool

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
		r.affected, r.ids = result.FieldByName("affectedRows"), result.FieldByName("insertIds")
	}
	r.seesIDs = r.affected.Kind() == reflect.Slice && r.affected.Type().Elem().Kind() == reflect.Int64 && r.ids.IsValid() && r.ids.Type() == r.affected.Type()
	r.last, r.seesLast = lastAnswerOf(conn)
	return r, r.status.CanUint() && r.affected.Kind() == reflect.Slice
}

// results counts the results of the last command, one that was an error
// included.
func (r replies) results() int { return r.affected.Len() }

// result is that of the last statement of the last command.
func (r replies) result() driver.Result {
	last := r.results() - 1
	return answer{id: r.ids.Index(last).Int(), affected: r.affected.Index(last).Int()}
}

type answer struct{ id, affected int64 }

// LastInsertId implements driver.Result.
func (a answer) LastInsertId() (int64, error) { return a.id, nil }

// RowsAffected implements driver.Result.
func (a answer) RowsAffected() (int64, error) { return a.affected, nil }

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
