package dialect

import (
	"fmt"
)

// The engines, as Server.Engine names them.
const (
	MySQL    = "mysql"
	MariaDB  = "mariadb"
	Postgres = "postgres"
	SQLite   = "sqlite"
)

// Server is what a server said of itself when it was opened.
type Server struct {
	Engine  string  // MySQL, MariaDB, Postgres or SQLite
	Product string  // as it calls itself: "MySQL", "MariaDB", "PostgreSQL", "CockroachDB", "SQLite", …
	Version Version // its version
	Text    string  // its full version text
	// RollbackOnTimeout is true if a lock wait timeout rolls back the whole
	// transaction and not only the statement (MySQL: innodb_rollback_on_timeout).
	RollbackOnTimeout bool
	// CountsZero is true if a 0 in a column that the server counts up is stored as the next
	// number: MySQL and MariaDB, unless sql_mode has NO_AUTO_VALUE_ON_ZERO. A row with such
	// a 0 is then refused.
	CountsZero bool
	// LocalLocks is what the server is a part of if the others in it that are
	// written to know nothing of its locks ("a Galera cluster"); "" if a lock holds
	// against everybody. What locks is then unsupported.
	LocalLocks string
	// SavepointsHide is true if another node of LocalLocks can end a transaction and a
	// SAVEPOINT would hide that (MySQL 9.7, a group with several primaries): what
	// follows it would be committed without what came before. Nested blocks are
	// unsupported then.
	SavepointsHide bool
	// WritesWhatItLocks is true if the application has said that it writes every row
	// that it locks (mysql.OptimisticLocks): in spite of LocalLocks the locks of rows
	// are supported then.
	WritesWhatItLocks bool
}

// String is the product and its version: "MariaDB 10.5.29".
func (s Server) String() string { return s.Product + " " + s.Version.String() }

// Version is a server's version.
type Version struct{ Major, Minor, Patch int }

// AtLeast reports whether v is major.minor.patch or newer.
func (v Version) AtLeast(major, minor, patch int) bool {
	if v.Major != major {
		return v.Major > major
	}
	if v.Minor != minor {
		return v.Minor > minor
	}
	return v.Patch >= patch
}

// String is the dotted form, without trailing zero parts that a server does not print.
func (v Version) String() string {
	if v.Patch == 0 && v.Major >= 10 { // PostgreSQL counts in two parts
		return fmt.Sprintf("%d.%d", v.Major, v.Minor)
	}
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
}
