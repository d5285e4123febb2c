package testserver

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // for the Admin of an SQLite database
)

// address is a data source name taken apart as far as tests need it: which
// server, and which database on it.
type address struct {
	engine   Engine
	host     string // host:port; "" for SQLite
	database string // for SQLite the file
	mysql    *mysql.Config
	url      *url.URL
}

func parse(engine Engine, dsn string) (address, error) {
	switch engine {
	case SQLite:
		return address{engine: engine, database: dsn}, nil
	case Postgres:
		u, err := url.Parse(dsn)
		if err != nil || u.Host == "" || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return address{}, fmt.Errorf("not of the form postgres://user:password@host:port/database")
		}
		return address{engine: engine, host: u.Host, database: u.Path, url: u}, nil
	default:
		config, err := mysql.ParseDSN(dsn)
		if err != nil || config.Net != "tcp" {
			return address{}, fmt.Errorf("not of the form user:password@tcp(host:port)/")
		}
		return address{engine: engine, host: config.Addr, database: config.DBName, mysql: config}, nil
	}
}

// on returns the same address with another database.
func (a address) on(database string) address { a.database = database; return a }

// via returns the same address through another host and port.
func (a address) via(host string) address { a.host = host; return a }

// DSN spells the address in the engine's usual way.
func (a address) DSN() string {
	switch a.engine {
	case SQLite:
		return a.database
	case Postgres:
		u := *a.url
		u.Host, u.Path = a.host, a.database
		return u.String()
	default:
		return a.config().FormatDSN()
	}
}

func (a address) config() *mysql.Config {
	config := a.mysql.Clone()
	config.Addr, config.DBName = a.host, a.database
	return config
}

// open opens a pool over the stock driver.
func (a address) open() (*sql.DB, error) {
	switch a.engine {
	case SQLite:
		return sql.Open("sqlite", "file:"+url.PathEscape(a.database)+"?_pragma=busy_timeout(10000)")
	case Postgres:
		config, err := pgx.ParseConfig(a.DSN())
		if err != nil {
			return nil, err
		}
		return stdlib.OpenDB(*config), nil
	default:
		config := a.config()
		config.ParseTime = true
		config.MultiStatements = true
		// Whatever the server's default: what Admin does is done, and it sees
		// what others have done.
		if config.Params == nil {
			config.Params = map[string]string{}
		}
		config.Params["autocommit"] = "1"
		config.Timeout = 10 * time.Second
		config.Logger = &mysql.NopLogger{} // attempts to reach a server that is still starting are no news
		connector, err := mysql.NewConnector(config)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(connector), nil
	}
}

// run sends statements on a connection of their own.
func (a address) run(ctx context.Context, statements ...string) error {
	db, err := a.open()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// answers asks the server for an answer to a query.
func (a address) answers(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return a.run(ctx, "SELECT 1")
}
