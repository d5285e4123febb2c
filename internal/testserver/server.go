package testserver

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a running database server.
type Server struct {
	// Engine is what the server is.
	Engine Engine
	// DSN reaches it as its administrator. It is what the engine's Open takes.
	DSN string
	// Addr is its host and port.
	Addr string

	at   address
	gone atomic.Bool
}

// At returns the server that a DSN leads to. It does not ask whether one is
// there: see [Server.Answers].
func At(engine Engine, dsn string) (*Server, error) {
	at, err := parse(engine, dsn)
	if err != nil {
		return nil, err
	}
	return &Server{Engine: engine, DSN: dsn, Addr: at.host, at: at}, nil
}

// Answers asks the server for the answer to a query.
func (s *Server) Answers(ctx context.Context, limit time.Duration) error {
	return s.at.answers(ctx, limit)
}

// Open opens a pool over the stock driver.
func (s *Server) Open() (*sql.DB, error) { return s.at.open() }

// Run sends statements on a connection of their own.
func (s *Server) Run(ctx context.Context, statements ...string) error {
	return s.at.run(ctx, statements...)
}

// Home makes an empty database and has DSN lead to it.
func (s *Server) Home(ctx context.Context, name string) error {
	s.DSN = s.at.on(s.Engine.path(name)).DSN()
	return s.at.run(ctx, createDatabase(s.Engine, name))
}

// Gone says that the server is being killed: its databases need not be dropped.
func (s *Server) Gone() { s.gone.Store(true) }

// Named returns the server that the environment names for an engine, or nil if
// it names none. It is asked once in a process whether it answers.
func Named(engine Engine) (*Server, error) {
	find, ok := named[engine]
	if !ok {
		return nil, fmt.Errorf("%s is not a server", engine)
	}
	return find()
}

var named = map[Engine]func() (*Server, error){
	MySQL:    sync.OnceValues(func() (*Server, error) { return find(MySQL) }),
	MariaDB:  sync.OnceValues(func() (*Server, error) { return find(MariaDB) }),
	Postgres: sync.OnceValues(func() (*Server, error) { return find(Postgres) }),
}

func find(engine Engine) (*Server, error) {
	variable := engine.Variable("TEST_", "")
	dsn := os.Getenv(variable)
	if dsn == "" {
		return nil, nil
	}
	server, err := At(engine, dsn)
	if err != nil {
		return nil, fmt.Errorf("%s is %w", variable, err)
	}
	// Not the ctx of the test that happens to come first: it ends too early.
	if err := server.Answers(context.Background(), 20*time.Second); err != nil {
		return nil, fmt.Errorf("the server that %s names does not answer: %w", variable, err)
	}
	return server, nil
}

// demanded reports whether HOLDFAST_TEST_ENGINES names the engine, so that a run
// without its server must not pass.
func demanded(engine Engine) bool {
	if os.Getenv(enginesVariable) == "" {
		return false
	}
	asked, err := Asked()
	return err == nil && slices.Contains(asked, engine)
}
