package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"math"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// Open returns the database in the file at path, which is created if it does
// not exist; its directory is not. ":memory:" is a new database in memory.
// Nothing is opened before Connect.
//
// Files are in WAL mode. Every connection checks foreign keys, takes "…" for a
// name and never for a text, and is in SQLite's defensive mode, in which SQL
// cannot damage the file. A commit is on the disk when it returns (SQLite's
// default, synchronous = FULL).
func Open(path string, opts ...Option) dialect.Source {
	return &source{path: path, settings: apply(opts)}
}

// From returns the database behind a pool that the application has opened with
// modernc.org/sqlite, or with a driver that wraps it. Its connections are taken
// as they are: set foreign_keys, busy_timeout and journal_mode in its DSN, and _dqs=0,
// without which a name that SQLite does not know is a text. No prepared statements are
// kept. Closing the database leaves the pool open.
//
// Refused with a *dialect.OpenError is a pool that would change values or could not roll
// back: with _texttotime, a _timezone other than UTC, or the pragmas
// case_sensitive_like, full_column_names or journal_mode=off. _time_format,
// _time_integer_format and _txlock change nothing, since this package spells times and
// BEGIN itself. _inttotime holds: integers in columns that are declared DATE, DATETIME or
// TIMESTAMP come as times. What the driver tells nobody is not found out: nolock=1 and
// immutable=1 keep no locks, and cache=shared keeps locks on tables that nobody waits for.
func From(pool *sql.DB, opts ...Option) dialect.Source {
	return &source{pool: pool, settings: apply(opts)}
}

type source struct {
	path string
	pool *sql.DB
	settings
}

// Connect implements dialect.Source.
func (s *source) Connect(ctx context.Context) (io.Closer, error) { return backend.Opened(s.open(ctx)) }

func (s *source) open(ctx context.Context) (*backend.Database, error) {
	if s.refused != nil {
		return nil, s.refused
	}
	if s.pool != nil {
		return s.borrow(ctx)
	}
	if err := s.checkSettings(); err != nil {
		return nil, err
	}
	c, err := newConnector(s.dsn(), s.settings, s.path == memory)
	if err != nil {
		return nil, openError(s.path, err)
	}
	pool := sql.OpenDB(c)
	db, err := s.first(ctx, pool, c.queue)
	if err != nil {
		_ = pool.Close()
		return nil, openError(s.path, err)
	}
	db.Connector = c.Connector
	return db, nil
}

const memory = ":memory:"

// dsn writes the path as a URI, and what every connection starts with.
func (s *source) dsn() string {
	q := url.Values{}
	name := "/holdfast-" + rand.Text()
	if s.path == memory {
		// SQLite's own VFS for databases in memory: all connections that use the
		// name share one database, with the locks of a file. (cache=shared has
		// locks on tables, which do not wait and do not isolate.)
		q.Set("vfs", "memdb")
	} else {
		name = filepath.ToSlash(s.path)
		if filepath.VolumeName(s.path) != "" {
			name = "/" + name // file:/C:/…
		}
		name = uriPath(name)
	}
	if s.readOnly {
		q.Set("mode", "ro")
	}
	q.Set("_busy_timeout", milliseconds(s.busy))
	q.Set("_defensive", "1")
	q.Set("_dqs", "0")
	q.Set("_timezone", "UTC")
	q.Set("_error_rc", "1")
	q.Add("_pragma", "foreign_keys(1)")
	q.Add("_pragma", "trusted_schema(0)")
	for _, p := range s.pragmas {
		q.Add("_pragma", p[0]+"("+p[1]+")")
	}
	return "file:" + name + "?" + q.Encode()
}

// uriPath writes a path as a part of a URI.
func uriPath(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// first asks the first connection who it is and makes the file ready.
func (s *source) first(ctx context.Context, pool *sql.DB, queue *queue) (*backend.Database, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if s.path != memory && s.pool == nil {
		if err := s.makeReady(ctx, conn); err != nil {
			return nil, err
		}
	}
	return identify(ctx, conn, pool, queue)
}

// makeReady switches the file to WAL mode, which the file then keeps, and tries
// whether it can be written: SQLite opens a file without that permission
// read-only and lets even BEGIN IMMEDIATE pass.
func (s *source) makeReady(ctx context.Context, conn *sql.Conn) error {
	var version int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || s.readOnly {
		return err
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		if kindOf(err) == dialect.ErrLockNotAvailable {
			return nil // somebody else is writing, so it can be written
		}
		return err
	}
	_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version))
	if _, undone := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); err == nil {
		err = undone
	}
	return err
}

// identify reads the version, and the busy timeout to go back to after a block
// that had another.
func identify(ctx context.Context, conn *sql.Conn, pool *sql.DB, queue *queue) (*backend.Database, error) {
	var version, file string
	var busy int64
	if err := conn.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return nil, err
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&busy); err != nil {
		return nil, err
	}
	if err := conn.QueryRowContext(ctx, "SELECT COALESCE(file, '') FROM pragma_database_list WHERE name = 'main'").Scan(&file); err != nil {
		return nil, err
	}
	readsOnly, err := checkPragmas(ctx, conn)
	if err != nil {
		return nil, err
	}
	v, err := backend.ParseVersion(version)
	if err != nil || !v.AtLeast(3, 35, 0) {
		return nil, &dialect.OpenError{Engine: dialect.SQLite, Setting: "version",
			Problem: "SQLite 3.35 or later is needed, this is " + version}
	}
	server := dialect.Server{Engine: dialect.SQLite, Product: "SQLite", Version: v, Text: "SQLite " + version}
	return &backend.Database{
		Pool:   pool,
		Server: server,
		Engine: &engine{server: server, busy: time.Duration(busy) * time.Millisecond, queue: queue, file: file, private: rand.Text(), readsOnly: readsOnly},
		Schema: sqlitedialect.New(),
	}, nil
}

func milliseconds(d time.Duration) string {
	return strconv.FormatInt(min(backend.Units(d, time.Millisecond), math.MaxInt32), 10)
}
