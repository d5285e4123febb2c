package testdb

import (
	"context"
	"sync"
	"testing"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// New returns a fresh database on the shared server of an engine. It and its
// Admin are gone after the test.
func New(t testing.TB, engine Engine) Database {
	t.Helper()
	testserver.Restrict(t, engine)
	if engine == SQLite {
		return testserver.NewSQLite(t)
	}
	return Shared(t, engine).New(t)
}

// Each runs a test on each of the engines, or on all if none is given, as
// parallel subtests named after the engine, with a fresh database for each.
func Each(t *testing.T, test func(t *testing.T, db Database), engines ...Engine) {
	t.Helper()
	testserver.EachFrom(t, New, test, engines...)
}

// NewServer starts a server for this test alone, which may configure or kill
// it, and removes it after the test.
func NewServer(t testing.TB, engine Engine, opts ...Option) *Server {
	t.Helper()
	testserver.Restrict(t, engine)
	server, err := Start(t.Context(), engine, append([]Option{Report(func(s string) { t.Log(s) })}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// Shared returns the server that this process's tests share. Closing it would
// take it away from all of them.
func Shared(t testing.TB, engine Engine) *Server {
	t.Helper()
	testserver.Restrict(t, engine)
	server, err := shared[engine]()
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	return server
}

// A shared server is started when the first test asks for it. It is never
// closed: it ends with the process.
var shared = map[Engine]func() (*Server, error){
	MySQL:    sync.OnceValues(func() (*Server, error) { return find(MySQL) }),
	MariaDB:  sync.OnceValues(func() (*Server, error) { return find(MariaDB) }),
	Postgres: sync.OnceValues(func() (*Server, error) { return find(Postgres) }),
}

func find(engine Engine) (*Server, error) {
	named, err := testserver.Named(engine)
	if err != nil {
		return nil, err
	}
	if named == nil {
		// Not the ctx of the test that happens to come first: it ends too early.
		return Start(context.Background(), engine)
	}
	return &Server{Server: named, close: func() error { return nil }}, nil // not ours
}
