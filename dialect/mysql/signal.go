package mysql

import (
	"regexp"
	"strings"
	"sync"

	godriver "github.com/go-sql-driver/mysql"
)

// SIGNAL raises an error with whatever number, SQLSTATE and text the application's
// procedures and triggers choose, and the text may hold anything. What they choose is
// told from an error of the server's own by the three of them.

// classes are those of the SQLSTATEs with which the servers raise errors themselves
// (ERROR_NUMBER and SQL_STATE in performance_schema.events_errors_summary_global_by_error
// of MySQL 9.7; MariaDB's sql/share/errmsg-utf8.txt).
var classes = []string{
	"00", "01", "02", "08", "0A", "0K", "0Z", "20", "21", "22", "23", "24", "25", "28", "2F", "35", "3D", "40", "42", "70",
	"HV", "HY", "SR", "SU", "XA",
}

// mostNumbers is beyond every number that a server tells its clients.
const mostNumbers = 10000

// signalled reports whether a number or an SQLSTATE is no server's. A server behind a
// proxy may tell no SQLSTATE.
func signalled(e *godriver.MySQLError) bool {
	if e.Number >= mostNumbers {
		return true
	}
	if e.SQLState == [5]byte{} {
		return false
	}
	for _, class := range classes {
		if strings.HasPrefix(string(e.SQLState[:]), class) {
			return false
		}
	}
	return true
}

func raised(e *godriver.MySQLError) string {
	if e.SQLState == [5]byte{} {
		return "raised by SIGNAL"
	}
	return "raised by SIGNAL, SQLSTATE " + string(e.SQLState[:])
}

// notOwn is shown in place of a text.
const notOwn = "the text is not the server's own for this number and may hold values: it is of SIGNAL, or in another language"

// templates are the texts of errors that applications raise themselves, so that a client
// takes a condition of theirs for a deadlock, a violated key or a value that does not fit.
// (perror of MySQL 9.7; MariaDB's sql/share/errmsg-utf8.txt.)
var templates = sync.OnceValue(func() map[uint16]*regexp.Regexp {
	const (
		name = `'[^']+'`
		keys = "(?: \\(`.*\\))?"
	)
	all := map[uint16]*regexp.Regexp{}
	for number, text := range map[uint16]string{
		1020: `Record has changed since last read in table ` + name + `(?:; try restarting transaction)?`,
		1022: `Can't write; duplicate key in table ` + name,
		1048: `Column ` + name + ` cannot be null`,
		1205: `Lock wait timeout exceeded; try restarting transaction`,
		1213: `(?:Deadlock found when trying to get lock; try restarting transaction|` +
			`WSREP detected deadlock/conflict and aborted the transaction\. Try restarting the transaction)`,
		1216: `Cannot add or update a child row: a foreign key constraint fails`,
		1217: `Cannot delete or update a parent row: a foreign key constraint fails`,
		1263: `Column set to default value; NULL supplied to NOT NULL column ` + name + ` at row [0-9]+`,
		1264: `Out of range value for column ` + name + ` at row [0-9]+`,
		1265: `Data truncated for column ` + name + ` at row [0-9]+`,
		1317: `(?:Query execution was interrupted|multi-db transaction attempted: \[.*\])`, // the other of vtgate in the mode SINGLE, with shards and numbers
		1364: `Field ` + name + ` doesn't have a default value`,
		1406: `Data too long for column ` + name + ` at row [0-9]+`,
		1412: `Table definition has changed, please retry transaction`,
		1451: `Cannot delete or update a parent row: a foreign key constraint fails` + keys,
		1452: `Cannot add or update a child row: a foreign key constraint fails` + keys,
		1792: `Cannot execute statement in a READ ONLY transaction\.?`,
		1836: `Running in read-only mode`,
		3572: `Statement aborted because lock\(s\) could not be acquired immediately and NOWAIT is set\.`,
		3819: `Check constraint ` + name + ` is violated\.`,
		4025: "CONSTRAINT `[^`]+` failed for `[^`]+`\\.`[^`]+`",
	} {
		all[number] = regexp.MustCompile(`^` + text + `$`)
	}
	return all
})

// serversOwn reports whether a text is what the server says of a number, as far as that is known.
func serversOwn(number uint16, text string) bool {
	template := templates()[number]
	return template == nil || template.MatchString(text)
}
