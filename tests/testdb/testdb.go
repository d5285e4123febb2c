package testdb

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// New returns a fresh database on the shared server of an engine. It and its
// Admin are gone after the test.
func New(t testing.TB, engine Engine) Database {
	t.Helper()
	restrict(t, engine)
	if engine == SQLite {
		return newSQLite(t)
	}
	return Shared(t, engine).New(t)
}

// Each runs a test on each of the engines, or on all if none is given, as
// parallel subtests named after the engine, with a fresh database for each.
func Each(t *testing.T, test func(t *testing.T, db Database), engines ...Engine) {
	t.Helper()
	if len(engines) == 0 {
		engines = All()
	}
	asked, err := Asked()
	if err != nil {
		t.Fatal(err)
	}
	engines = slices.DeleteFunc(slices.Clone(engines), func(e Engine) bool { return !slices.Contains(asked, e) })
	if len(engines) == 0 {
		t.Skipf("HOLDFAST_TEST_ENGINES=%v leaves no engine that this test is for", asked)
	}
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			test(t, New(t, engine))
		})
	}
}

// NewServer starts a server for this test alone, which may configure or kill
// it, and removes it after the test.
func NewServer(t testing.TB, engine Engine, opts ...Option) *Server {
	t.Helper()
	restrict(t, engine)
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
	restrict(t, engine)
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
	// Not the ctx of the test that happens to come first: it ends too early.
	ctx := context.Background()
	dsn := engine.env("TEST_", "")
	if dsn == "" {
		return Start(ctx, engine)
	}
	at, err := parse(engine, dsn)
	if err != nil {
		return nil, fmt.Errorf("%s is %w", engine.envName("TEST_", ""), err)
	}
	if err := at.answers(ctx, 20*time.Second); err != nil {
		return nil, fmt.Errorf("the server that %s names does not answer: %w", engine.envName("TEST_", ""), err)
	}
	return &Server{
		Engine: engine, DSN: dsn, Addr: at.host, at: at,
		close: func() error { return nil }, // not ours
	}, nil
}
