package mysql

import (
	"context"
	"crypto/tls"
	"database/sql"
	"io"
	"net"
	"time"

	"github.com/uptrace/bun/dialect/mysqldialect"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// Option changes how connections are opened.
type Option func(*options)

type options struct {
	tls          *tls.Config
	dial         Dialer
	singleWriter bool
	optimistic   bool
	refused      error // what is wrong with an option
}

// locks applies what the application has said of its locks.
func (o options) locks(s *dialect.Server) {
	if o.singleWriter {
		s.LocalLocks, s.SavepointsHide = "", false
	}
	s.WritesWhatItLocks = o.optimistic
}

// Dialer opens a network connection, as (*net.Dialer).DialContext does.
type Dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// WithTLS makes connections use TLS as config says. The DSN's tls parameter does
// the same for the usual cases (tls=true).
func WithTLS(config *tls.Config) Option { return func(o *options) { o.tls = config } }

// WithDialer makes connections through dial, for a tunnel or a proxy.
func WithDialer(dial Dialer) Option { return func(o *options) { o.dial = dial } }

// SingleWriter says that everybody who writes or locks goes through the node that
// is opened, or through a proxy that sends all of them to the same one. In a Galera
// cluster, and in a group (Group Replication) with several primaries, a lock is
// known to its own node only, so that locking reads and atomic.AdvisoryLock are
// dialect.ErrUnsupported there without it. So are nested blocks and savepoints in such
// a group: where two nodes write, a SAVEPOINT hides that the other has ended the
// transaction.
func SingleWriter() Option { return func(o *options) { o.singleWriter = true } }

// OptimisticLocks says that a block writes every row that it locks. In a Galera
// cluster, and in a group with several primaries, a lock is known to its own node
// only; two blocks on two nodes both get it, and the certification at COMMIT lets one
// of them go through: the other is dialect.ErrDeadlock or
// dialect.ErrSerializationFailure, which Retry cures. NoWait and SkipLocked see the
// locks of the own node alone. atomic.AdvisoryLock writes nothing, and stays
// dialect.ErrUnsupported.
func OptimisticLocks() Option { return func(o *options) { o.optimistic = true } }

// Open returns the database that dsn names: a DSN of go-sql-driver/mysql
//
//	user:password@tcp(host:3306)/database?timeout=5s
//
// or a URL with the same parameters
//
//	mysql://user:password@host:3306/database?tls=true
//	mariadb://user:password@localhost/database?socket=/run/mysqld/mysqld.sock
//
// Nothing is opened before Connect, whose error is a *dialect.OpenError that
// names the setting at fault.
//
// Every connection is in autocommit, in UTC, in utf8mb4 and in strict mode
// (STRICT_TRANS_TABLES is added to the server's sql_mode, or to the DSN's, which may have
// no mode that changes values: EMPTY_STRING_IS_NULL, ORACLE, PAD_CHAR_TO_FULL_LENGTH), and
// counts the rows that matched as affected. A parameter that says otherwise
// (parseTime, loc, time_zone, charset, collation, autocommit, clientFoundRows,
// columnsWithAlias) is refused. multiStatements=false and
// interpolateParams=false are honoured, at the cost of round trips.
//
// A row that has 0 for a column which the server counts up is refused: the server would
// store another number. With sql_mode='NO_AUTO_VALUE_ON_ZERO' in the DSN it is stored; but then
// DEFAULT in an INSERT is 0 as well, which bun writes for a key that is left to the server
// (db.Bun()).
//
// A server that refuses a write because it is read-only was the writer before: none
// of the connections that were open then is used again, unless rejectReadOnly=false.
func Open(dsn string, opts ...Option) dialect.Source {
	return &source{dsn: dsn, options: apply(opts)}
}

// From returns the database behind a pool that the application has opened, with
// this driver or one that wraps it. Each control statement of a block takes a
// round trip of its own there. The pool's connections have to be as those of Open
// are (autocommit, UTC, utf8mb4, a strict sql_mode, parseTime=true,
// clientFoundRows=true), which Connect checks on one of them. Closing the
// database leaves the pool open.
//
// Of the options, SingleWriter and OptimisticLocks have a meaning here.
func From(pool *sql.DB, opts ...Option) dialect.Source {
	return &source{pool: pool, options: apply(opts)}
}

func apply(opts []Option) (o options) {
	o.refused = backend.Apply(dialect.MySQL, &o, opts)
	return o
}

type source struct {
	dsn  string
	pool *sql.DB
	options
}

// openTimeout limits Connect where ctx has no deadline. A server of another
// kind waits for the client to speak first, as this client does.
const openTimeout = 30 * time.Second

// Connect implements dialect.Source.
func (s *source) Connect(ctx context.Context) (io.Closer, error) { return backend.Opened(s.open(ctx)) }

func (s *source) open(ctx context.Context) (*backend.Database, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if s.refused != nil {
		return nil, s.refused
	}
	if s.pool != nil {
		return borrow(ctx, s.pool, s.options)
	}
	set, err := parse(s.dsn)
	if err != nil {
		return nil, err
	}
	set.dial = s.dial
	if s.tls != nil {
		set.cfg.TLS = s.tls
	}
	f, err := firstConnection(ctx, set)
	if err != nil {
		return nil, err
	}
	s.locks(&f.server)
	// Asked for once here instead of on each connection.
	if n := f.maxPacket - 1; set.cfg.MaxAllowedPacket <= 0 || n > 0 && n < set.cfg.MaxAllowedPacket {
		set.cfg.MaxAllowedPacket = n
	}
	set.readable, set.identity, set.inParts = f.readable, f.identity, !f.server.Can(dialect.WholeCommit)
	set.triggers = f.server.Product == "MySQL" || f.server.Product == "MariaDB"
	if !f.multiStatements {
		set.multiStatements, set.cfg.MultiStatements = false, false
	}
	db := f.database(nil)
	set.positions, set.node = f.positions, &db.Engine.(*engine).node
	c, err := newConnector(set)
	if err != nil {
		return nil, openError(set, err)
	}
	db.Pool = sql.OpenDB(c)
	db.Reserve, db.Connector = backend.NewReserve(c), toolConnector{c}
	return db, nil
}

func (f *facts) database(pool *sql.DB) *backend.Database {
	return &backend.Database{
		Pool:   pool,
		Server: f.server,
		Engine: &engine{server: f.server, positions: f.positions, silent: f.silent, group: f.group},
		Schema: mysqldialect.New(),
	}
}
