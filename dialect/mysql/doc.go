// Package mysql opens MySQL (8.0.1 and later) and MariaDB (10.5 and later) for
// Holdfast, on go-sql-driver/mysql:
//
//	db, err := orm.Open(ctx, mysql.Open("app:secret@tcp(db:3306)/shop"))
//
// # Round trips
//
// What a block has to tell the server (BEGIN, SAVEPOINT, settings) travels in
// one text with its next statement: the connections are opened with
// multiStatements. This does not widen what an injection can do: a text that
// holds a semicolon anywhere but at its end is first shown to the server by
// PREPARE, which takes a single statement in every sql_mode and refuses two.
// Such a text costs one more round trip. multiStatements=false in the DSN
// switches all of this off; each control statement then takes a round trip of
// its own.
//
// A KILL QUERY that hits the moment between two statements of one text makes
// both servers announce a result that they never send (seen with MySQL 9.7 and
// MariaDB 11.8). The call then ends with its ctx, so give it one with a
// deadline where statements are killed by a program.
//
// In a Galera cluster each statement is a text of its own, since another node may
// abort the transaction between two of one text; Open finds out, and so does each
// new connection.
//
// # Sessions
//
// What decides how the server reads a text stays as Open sets it. SET NAMES and its
// like are dialect.ErrUnsupported, by DSN an error of Open; what changes it unseen (a
// prepared statement, a trigger) is noticed before the next statement, and the
// connection closed. sql_mode may be set, but for the modes that change values
// (EMPTY_STRING_IS_NULL, ORACLE and PAD_CHAR_TO_FULL_LENGTH), which are refused in the
// same way. A connection is closed after a text that is
// not known to leave nothing in its session, and when the server says that something
// has changed. Through a network that was registered with the driver
// (RegisterDialContext) it does not say so, and is asked in front of the statement that
// follows a write; with WithDialer instead nothing has to be asked.
//
// # Values
//
// The driver binds values by its own interpolation (interpolateParams), which
// follows the session's sql_mode. Where its reading of a text could differ from
// the server's, as it does for a backslash in double quotes under ANSI_QUOTES,
// the statement is prepared on the server instead, which takes a round trip
// more for PREPARE and one more for what had to be told before it. The same
// holds for a value that is too large for one packet, and for all of them with
// interpolateParams=false.
//
// Times are truncated to the microsecond, which is all that either server
// keeps: it would round them otherwise, up to a second that has not come yet.
// A NaN, an infinity and a year outside 1 to 9999 are refused before anything
// is sent. A negative zero arrives as zero.
package mysql
