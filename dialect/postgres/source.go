package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// connectTimeout bounds the making of a connection if the DSN does not
// (connect_timeout), so that a host that swallows packets gives an error. With
// several hosts there is another to try: the one that is gone must not use up the
// time in which the question after a lost COMMIT has to be answered.
const (
	connectTimeout       = 30 * time.Second
	connectTimeoutOfMany = 5 * time.Second
)

type source struct {
	dsn       string
	pool      *sql.DB // handed in by the application, or nil
	settings  settings
	configure func(*pgx.ConnConfig) // for tests
}

// Open says to open a pool of connections to the server that dsn names, as a
// URL (postgres://user:password@host:port/database?sslmode=verify-full) or in
// keywords (host=… user=… dbname=…). What it leaves out is taken from the
// environment and the files that libpq knows, such as PGHOST and ~/.pgpass.
//
// Connect returns a *dialect.OpenError that names the setting at fault:
// "dsn", "host", "port", "user", "password", "database", "tls", "version",
// "server" or the name of a parameter of the DSN.
func Open(dsn string, opts ...Option) dialect.Source {
	return &source{dsn: dsn, settings: apply(opts)}
}

// From uses a pool that the application has opened. It stays the application's:
// closing the database leaves it open, and its sessions are as it set them up.
// For times to come back as they went in, their TimeZone should be UTC.
//
// A pool of pgx's stdlib package, in whatever way it was made, is used as [Open]
// would; pgx's tracers see no statement of it. What it does not hear of is the
// server's warning that a COMMIT has not waited for its synchronous standby (rule
// B1): only Open does. With another driver each control
// statement takes a round trip of its own.
func From(db *sql.DB, opts ...Option) dialect.Source {
	return &source{pool: db, settings: apply(opts)}
}

func apply(opts []Option) (s settings) {
	s.refused = backend.Apply(dialect.Postgres, &s, opts)
	return s
}

// Connect implements dialect.Source.
func (s *source) Connect(ctx context.Context) (io.Closer, error) { return backend.Opened(s.open(ctx)) }

func (s *source) open(ctx context.Context) (*backend.Database, error) {
	if s.settings.refused != nil {
		return nil, s.settings.refused
	}
	e := &engine{settings: s.settings}
	db := &backend.Database{Pool: s.pool, Borrowed: s.pool != nil, Engine: e, Schema: pgdialect.New()}
	password := ""
	if s.pool == nil {
		config, err := pgx.ParseConfig(s.dsn)
		if err != nil {
			return nil, parseError(err)
		}
		password = config.Password
		if s.configure != nil {
			s.configure(config)
		}
		connector := e.connector(config)
		db.Pool, db.Reserve = sql.OpenDB(connector), backend.NewReserve(connector)
		db.Connector = toolConnector(config)
	}
	server, err := identify(ctx, db.Pool, e)
	if err != nil {
		_ = db.Close()
		return nil, openError(err, password)
	}
	e.server, db.Server = server, server
	return db, nil
}

// connector makes connections whose sessions are set up in the message that
// starts them.
func (e *engine) connector(config *pgx.ConnConfig) driver.Connector {
	limit, named := e.settings.cacheOf(config)
	if !named {
		limit = 0
	}
	e.settings.cache = &limit

	// The statements of pgx itself, which somebody might send past the wire:
	// without a cache of their own, and safe behind every pooler.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0

	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
		for _, other := range config.Fallbacks { // which are also the same host without TLS
			if other.Host != config.Host || other.Port != config.Port {
				config.ConnectTimeout = connectTimeoutOfMany
			}
		}
	}
	for name := range config.RuntimeParams {
		if strings.EqualFold(name, "timezone") || strings.EqualFold(name, "client_encoding") {
			delete(config.RuntimeParams, name)
		}
	}
	config.RuntimeParams["timezone"] = "UTC" // S4
	config.RuntimeParams["client_encoding"] = "UTF8"

	next := config.OnPgError
	config.OnPgError = func(c *pgconn.PgConn, err *pgconn.PgError) bool {
		return !ends(err) && (next == nil || next(c, err))
	}
	heard := config.OnNotice
	config.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		noticed(c, n)
		if heard != nil {
			heard(c, n)
		}
	}
	return stdlib.GetConnector(*config,
		stdlib.OptionAfterConnect(func(_ context.Context, c *pgx.Conn) error {
			wireOf(c, e.settings)
			return nil
		}),
		stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }),
		stdlib.OptionResetSession(func(_ context.Context, c *pgx.Conn) error { return wireOf(c, e.settings).reuse() }),
	)
}
