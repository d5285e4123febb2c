package testserver

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Database is an empty database for one test.
type Database struct {
	Engine Engine
	// Name is the database's on its server, and the file's for SQLite.
	Name string
	// DSN is what the engine's Open takes: a path for SQLite, otherwise the
	// driver's form without any setting of ours.
	DSN string
	// Addr is the server's host and port; "" for SQLite.
	Addr string
	// Admin looks on from outside, through the stock driver and with the
	// administrator's rights: to arrange tables, hold a lock, count sessions or
	// kill one. It is closed after the test.
	Admin *sql.DB

	at address
}

// Via returns the DSN that reaches the database through another address, such
// as that of a proxy. SQLite has none.
func (d Database) Via(addr string) string {
	if d.Engine == SQLite {
		panic("testserver: an SQLite database has no address")
	}
	return d.at.via(addr).DSN()
}

// NewSQLite returns a file of its own for an SQLite database.
func NewSQLite(t testing.TB) Database {
	t.Helper()
	at := address{engine: SQLite, database: filepath.Join(t.TempDir(), "test.db")}
	return open(t, at)
}

// New makes a fresh database on the server and drops it after the test.
func (s *Server) New(t testing.TB) Database {
	t.Helper()
	name := "hf_" + strings.ToLower(rand.Text()[:16])
	at := s.at.on(s.Engine.path(name))
	if err := s.at.run(t.Context(), createDatabase(s.Engine, name)); err != nil {
		t.Fatalf("making a database on %s: %v", s.Engine, err)
	}
	t.Cleanup(func() {
		if err := s.drop(name); err != nil {
			t.Errorf("dropping %s on %s: %v", name, s.Engine, err)
		}
	})
	return open(t, at)
}

func open(t testing.TB, at address) Database {
	t.Helper()
	admin, err := at.open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	return Database{
		Engine: at.engine, Name: strings.TrimPrefix(at.database, "/"),
		DSN: at.DSN(), Addr: at.host, Admin: admin, at: at,
	}
}

// path is how a DSN names a database.
func (e Engine) path(database string) string {
	if e == Postgres {
		return "/" + database
	}
	return database
}

func createDatabase(engine Engine, name string) string {
	if engine == Postgres {
		return "CREATE DATABASE " + name
	}
	return "CREATE DATABASE " + name + " CHARACTER SET utf8mb4"
}

// drop also ends sessions that a failed test has left in the database: their
// locks would make DROP DATABASE wait for ever.
func (s *Server) drop(name string) error {
	if s.gone.Load() {
		return nil // it went with its server
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if s.Engine == Postgres {
		return s.at.run(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
	}
	if err := s.killSessions(ctx, name); err != nil {
		return err
	}
	return s.at.run(ctx, "DROP DATABASE "+name)
}

func (s *Server) killSessions(ctx context.Context, database string) error {
	admin, err := s.at.open()
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	rows, err := admin.QueryContext(ctx, "SELECT id FROM "+s.Engine.Sessions()+" WHERE db = ?", database)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var kills []string
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		kills = append(kills, fmt.Sprintf("KILL %d", id))
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, kill := range kills {
		_ = s.at.run(ctx, kill) // it may have ended by itself
	}
	return nil
}

// Sessions is what to select from to see the id, db and info of the sessions of
// a MySQL or MariaDB server. MySQL's information_schema.processlist is no such
// thing while anybody runs a statement that is not utf8: it fails with 3854.
func (e Engine) Sessions() string {
	if e == MySQL {
		return `(SELECT processlist_id AS id, processlist_db AS db, processlist_info AS info
			FROM performance_schema.threads WHERE processlist_id IS NOT NULL) sessions`
	}
	return "information_schema.processlist sessions"
}
