package sqlite

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// Option changes how [Open] and [From] set up a database.
type Option func(*settings)

type settings struct {
	busy     time.Duration
	cache    int
	readOnly bool
	pragmas  [][2]string
	refused  error // what is wrong with an option
}

func apply(opts []Option) settings {
	s := settings{busy: 5 * time.Second, cache: 128}
	s.refused = backend.Apply(dialect.SQLite, &s, opts)
	return s
}

// BusyTimeout sets how long a statement waits for a lock that somebody else
// holds before it fails with dialect.ErrLockNotAvailable: 5 s unless set, in
// steps of a millisecond. 0 means not to wait. A block's LockTimeout goes before
// it. It has no effect on [From], whose pool has a timeout of its own.
func BusyTimeout(d time.Duration) Option { return func(s *settings) { s.busy = max(d, 0) } }

// StatementCache sets how many prepared statements each connection keeps: 128
// unless set, 0 for none. It has no effect on [From].
func StatementCache(n int) Option { return func(s *settings) { s.cache = max(n, 0) } }

// ReadOnly opens the file read-only: every write fails with dialect.ErrReadOnly.
func ReadOnly() Option { return func(s *settings) { s.readOnly = true } }

// Pragma sets a PRAGMA on every new connection, after the package's own
// (foreign_keys = ON, trusted_schema = OFF): Pragma("cache_size", "-20000").
// Opening fails if the name or the value is not a plain word or number.
func Pragma(name, value string) Option {
	return func(s *settings) { s.pragmas = append(s.pragmas, [2]string{name, value}) }
}

var plainWord = regexp.MustCompile(`^[-+]?[A-Za-z0-9_.]+$`)

// reserved are the settings that the engine itself changes and restores.
var reserved = map[string]string{
	"busy_timeout": "use BusyTimeout",
	"query_only":   "use ReadOnly, or a block that is ReadOnly",
	"journal_mode": "files are in WAL mode, which is what lets readers run beside a writer",
}

func (s settings) check() error {
	for _, p := range s.pragmas {
		if !plainWord.MatchString(p[0]) || !plainWord.MatchString(p[1]) {
			return fmt.Errorf("PRAGMA %s: the name and the value have to be plain words or numbers", p[0])
		}
		name := strings.ToLower(p[0][strings.LastIndexByte(p[0], '.')+1:]) // main.QUERY_ONLY is the same
		if why := reserved[name]; why != "" {
			return fmt.Errorf("PRAGMA %s is set by the engine: %s", p[0], why)
		}
	}
	return nil
}
