// Package servers gives the programs of this module a fresh database on a real
// server: on the one that HOLDFAST_TEST_MYSQL, HOLDFAST_TEST_MARIADB or
// HOLDFAST_TEST_POSTGRES names, as the tests' rig sets them, or else on one in a
// container of its own.
package servers

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Database is a fresh database.
type Database struct {
	Engine  testdb.Engine
	Version string // of the server, as it says itself
	DSN     string
	Addr    string
	Admin   *sql.DB // looks on from outside

	server *testdb.Server // nil for one that was named in the environment
	name   string
}

// Parse reads a list of engines: "mysql,postgres".
func Parse(list string) (engines []testdb.Engine, err error) {
	for name := range strings.SplitSeq(list, ",") {
		engine := testdb.Engine(strings.TrimSpace(name))
		if !slices.Contains(testdb.Servers(), engine) {
			return nil, fmt.Errorf("no engine %q; the engines are %v", name, testdb.Servers())
		}
		engines = append(engines, engine)
	}
	return engines, nil
}

// Fresh makes a database. Close it.
func Fresh(ctx context.Context, engine testdb.Engine) (*Database, error) {
	db := &Database{Engine: engine, name: "hf_bench_" + strings.ToLower(rand.Text()[:8])}
	dsn := os.Getenv("HOLDFAST_TEST_" + strings.ToUpper(string(engine)))
	if dsn == "" {
		fmt.Fprintf(os.Stderr, "starting %s\n", engine)
		server, err := testdb.Start(ctx, engine)
		if err != nil {
			return nil, err
		}
		db.server, dsn = server, server.DSN
	}
	if err := db.create(ctx, dsn); err != nil {
		return nil, errors.Join(fmt.Errorf("making a database on %s: %w", engine, err), db.Close())
	}
	return db, nil
}

func (db *Database) create(ctx context.Context, dsn string) error {
	there, err := open(db.Engine, dsn)
	if err != nil {
		return err
	}
	if _, err := there.ExecContext(ctx, "CREATE DATABASE "+db.name); err != nil {
		return errors.Join(err, there.Close())
	}
	if err := there.Close(); err != nil {
		return err
	}
	if db.DSN, db.Addr, err = with(db.Engine, dsn, "", db.name); err != nil {
		return err
	}
	if db.Admin, err = open(db.Engine, db.DSN); err != nil {
		return err
	}
	version := "SELECT version()"
	if db.Engine == testdb.Postgres {
		version = "SHOW server_version"
	}
	return db.Admin.QueryRowContext(ctx, version).Scan(&db.Version)
}

// Via is the DSN that reaches the database through another address.
func (db *Database) Via(addr string) string {
	dsn, _, _ := with(db.Engine, db.DSN, addr, db.name) // it was read before
	return dsn
}

// Run sends statements from outside.
func (db *Database) Run(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := db.Admin.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// Set gives every session of the database that begins from now on a setting of
// the server's.
func (db *Database) Set(ctx context.Context, name, value string) error {
	if db.Engine == testdb.Postgres {
		return db.Run(ctx, fmt.Sprintf("ALTER DATABASE %s SET %s = '%s'", db.name, name, value))
	}
	config, err := mysql.ParseDSN(db.DSN)
	if err != nil {
		return err
	}
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	config.Params[name] = value
	db.DSN = config.FormatDSN()
	return nil
}

// Close drops the database, and ends the server if it was started for it.
func (db *Database) Close() error {
	if db.server != nil {
		return db.server.Close()
	}
	if db.Admin == nil {
		return nil
	}
	drop := "DROP DATABASE " + db.name
	home := "mysql"
	if db.Engine == testdb.Postgres {
		drop += " WITH (FORCE)"
		home = "postgres"
	}
	_ = db.Admin.Close()
	dsn, _, err := with(db.Engine, db.DSN, "", home)
	if err != nil {
		return err
	}
	there, err := open(db.Engine, dsn)
	if err != nil {
		return err
	}
	_, err = there.Exec(drop)
	return errors.Join(err, there.Close())
}

func open(engine testdb.Engine, dsn string) (*sql.DB, error) {
	if engine == testdb.Postgres {
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			return nil, err
		}
		return stdlib.OpenDB(*config), nil
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// with returns a DSN with another database and, unless it is "", another
// address.
func with(engine testdb.Engine, dsn, addr, database string) (with, at string, err error) {
	if engine == testdb.Postgres {
		u, err := url.Parse(dsn)
		if err != nil {
			return "", "", errors.New("the DSN is not a URL")
		}
		u.Path = "/" + database
		if addr != "" {
			u.Host = addr
		}
		return u.String(), u.Host, nil
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "", "", err
	}
	config.DBName = database
	if addr != "" {
		config.Addr = addr
	}
	return config.FormatDSN(), config.Addr, nil
}
