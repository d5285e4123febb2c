package backend

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// ParseVersion reads the first dotted number of s, as in "8.4.6-log",
// "PostgreSQL 17.5 (Debian …)" or "5.5.5-10.11.14-MariaDB".
func ParseVersion(s string) (dialect.Version, error) {
	s = strings.TrimPrefix(s, "5.5.5-") // MariaDB's replication prefix
	start := strings.IndexAny(s, "0123456789")
	if start < 0 {
		return dialect.Version{}, fmt.Errorf("no version in %q", s)
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
			return dialect.Version{}, fmt.Errorf("version %q: %w", s, err)
		}
		n[i] = v
	}
	return dialect.Version{Major: n[0], Minor: n[1], Patch: n[2]}, nil
}

// Syntax is how the statements of a server are read.
func Syntax(s dialect.Server) lex.Syntax {
	switch s.Engine {
	case dialect.Postgres:
		return lex.PostgresSyntax
	case dialect.SQLite:
		return lex.SQLiteSyntax
	}
	return lex.MySQLSyntax
}

// SurelyWaited is how long a statement that has run into limit, nil for one that
// is not known, has at least waited for the lock that it failed to get, as the
// server's own list of waits tells: 0 if nobody can say. MySQL waits for a second
// at least, and MariaDB's list may be older than the question for it.
func SurelyWaited(s dialect.Server, limit *time.Duration) time.Duration {
	switch {
	case s.Engine == dialect.MariaDB:
		return 0
	case limit != nil:
		return *limit
	case s.Engine == dialect.MySQL:
		return time.Second
	}
	return 0
}
