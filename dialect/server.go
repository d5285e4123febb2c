package dialect

import (
	"fmt"
	"strconv"
	"strings"
	"time"
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
}

// String is the product and its version: "MariaDB 10.5.29".
func (s Server) String() string { return s.Product + " " + s.Version.String() }

// Syntax is how the server's statements are read.
func (s Server) Syntax() Syntax {
	switch s.Engine {
	case Postgres:
		return PostgresSyntax
	case SQLite:
		return SQLiteSyntax
	}
	return MySQLSyntax
}

// SurelyWaited is how long a statement that has run into limit, nil for one that
// is not known, has at least waited for the lock that it failed to get, as the
// server's own list of waits tells: 0 if nobody can say. MySQL waits for a second
// at least, and MariaDB's list may be older than the question for it.
func (s Server) SurelyWaited(limit *time.Duration) time.Duration {
	switch {
	case s.Engine == MariaDB:
		return 0
	case limit != nil:
		return *limit
	case s.Engine == MySQL:
		return time.Second
	}
	return 0
}

// Version is a server's version.
type Version struct{ Major, Minor, Patch int }

// ParseVersion reads the first dotted number of s, as in "8.4.6-log",
// "PostgreSQL 17.5 (Debian …)" or "5.5.5-10.11.14-MariaDB".
func ParseVersion(s string) (Version, error) {
	s = strings.TrimPrefix(s, "5.5.5-") // MariaDB's replication prefix
	start := strings.IndexAny(s, "0123456789")
	if start < 0 {
		return Version{}, fmt.Errorf("no version in %q", s)
	}
	s = s[start:]
	if end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); end >= 0 {
		s = s[:end]
	}
	var n [3]int
	for i, part := range strings.SplitN(s, ".", 4) {
		if i == 3 || part == "" {
			break
		}
		v, err := strconv.Atoi(part)
		if err != nil {
			return Version{}, fmt.Errorf("version %q: %w", s, err)
		}
		n[i] = v
	}
	return Version{n[0], n[1], n[2]}, nil
}

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
