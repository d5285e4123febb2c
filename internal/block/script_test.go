package block_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

// A script plays a server: it writes down what arrives, and answers as a test
// has told it to, or with success. It knows nothing of SQL. The tests on it are
// about order and faults; what real servers do is told by those in tests.
//
// Everything happens in a bubble of testing/synctest, so that waiting costs no
// time and the end of the test is the end of all goroutines.
type script struct {
	t     *testing.T
	db    *block.Executor
	pool  *sql.DB
	setup setup

	mu      sync.Mutex
	arrived []string
	replies map[string][]reply // by the text of a statement, first come first served
	conns   []*conn
	refused error // of every new connection
}

// setup is a script's database.
type setup struct {
	settings  block.Settings
	server    dialect.Server
	room      int   // most connections of the pool; 0: no limit
	reserve   bool  // there are connections beside the pool
	anonymous bool  // connections do not know their number
	closing   error // of every connection, when it is closed
	spelling  spelling
	engine    func(*engine) backend.Engine // what the engine can do besides; nil: nothing
}

// reply is the answer to one statement. The zero reply is success.
type reply struct {
	err      error
	over     bool          // the server has ended the transaction
	opens    bool          // the server has one open that nobody has asked for
	until    chan struct{} // no answer before it is closed
	silent   bool          // no answer before ctx ends
	patient  bool          // the connection outlives a ctx that ends meanwhile
	rows     []driver.Value
	failure  error // in place of the end of the rows
	more     []driver.Value
	closing  error // of the rows, when they are closed
	affected int64
	says     any // to a question of the engine's
	panics   any
}

// serverError is an error of the script's driver.
type serverError struct {
	kind  error
	code  string
	fatal bool
}

func (e *serverError) Error() string { return "server says " + e.code }

var (
	unique    = &serverError{kind: dialect.ErrUniqueViolation, code: "1062"}
	locked    = &serverError{kind: dialect.ErrLockNotAvailable, code: "1205"}
	canceled  = &serverError{kind: dialect.ErrQueryCanceled, code: "1317"}
	deadlock  = &serverError{kind: dialect.ErrDeadlock, code: "1213", fatal: true}
	conflict  = &serverError{kind: dialect.ErrSerializationFailure, code: "40001", fatal: true}
	gone      = &serverError{kind: dialect.ErrConnectionLost, fatal: true}                // no code: the server says nothing
	farewell  = &serverError{kind: dialect.ErrConnectionLost, code: "57P01", fatal: true} // the server is being stopped
	unnamed   = errors.New("the driver has choked")
	errAsked  = errors.New("the test asked for it")
	errCaller = errors.New("the caller has gone home")
)

// refuses is a reply that is an error.
func refuses(err error) reply { return reply{err: err} }

// play runs a test on a script.
func play(t *testing.T, test func(t *testing.T, s *script), setups ...setup) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t, replies: map[string][]reply{}}
		if len(setups) > 0 {
			s.setup = setups[0]
		}
		if s.setup.server.Engine == "" {
			s.setup.server = mysql
		}
		s.open()
		defer s.close()
		test(t, s)
	})
}

var (
	mysql    = dialect.Server{Engine: dialect.MySQL, Product: "MySQL", Version: dialect.Version{Major: 8, Minor: 4}}
	mariadb  = dialect.Server{Engine: dialect.MariaDB, Product: "MariaDB", Version: dialect.Version{Major: 11, Minor: 8}}
	postgres = dialect.Server{Engine: dialect.Postgres, Product: "PostgreSQL", Version: dialect.Version{Major: 18}}
	sqlite   = dialect.Server{Engine: dialect.SQLite, Product: "SQLite", Version: dialect.Version{Major: 3, Minor: 50}}
)

func (s *script) open() {
	plain := &engine{script: s}
	d := &backend.Database{Pool: sql.OpenDB(connector{s}), Server: s.setup.server, Engine: plain}
	d.Pool.SetMaxOpenConns(s.setup.room)
	if s.setup.engine != nil {
		d.Engine = s.setup.engine(plain)
	}
	if s.setup.reserve {
		d.Reserve = backend.NewReserve(connector{s})
	}
	s.pool, s.db = d.Pool, block.New(d, s.setup.settings)
}

// close looks whether everything is as it should be after any test.
func (s *script) close() {
	synctest.Wait()
	s.mu.Lock()
	for text, left := range s.replies {
		assert.Empty(s.t, left, "replies to %q that nobody has asked for", text)
	}
	for _, c := range s.conns {
		assert.False(s.t, c.begun && !c.closed, "connection %d is left in a transaction (rule B13)", c.number)
		assert.True(s.t, c.rows == nil || c.rows.closed || c.closed, "rows of connection %d are left open", c.number)
	}
	s.mu.Unlock()
	assert.Zero(s.t, s.pool.Stats().InUse, "connections that were not given back")
	assert.NoError(s.t, s.db.Close())
}

// on has the server answer the next statements with this text. A text may be a
// control statement.
func (s *script) on(text string, replies ...reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies[text] = append(s.replies[text], replies...)
}

func (s *script) take(text string) (r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if next := s.replies[text]; len(next) > 0 {
		r, s.replies[text] = next[0], next[1:]
	}
	return r
}

// note writes down one round trip. Those on other connections than the first
// are marked with their number.
func (s *script) note(c *conn, texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := strings.Join(texts, "; ")
	if c.number > 1 {
		line = fmt.Sprintf("%d: %s", c.number, line)
	}
	s.arrived = append(s.arrived, line)
}

// sent requires that exactly these round trips were made since the last call.
func (s *script) sent(trips ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Equal(s.t, trips, slices.Concat(s.arrived, []string(nil)))
	s.arrived = nil
}

// forget is sent for what is not of interest.
func (s *script) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived = nil
}

// age has the connections of the pool be stale: the server has closed them.
func (s *script) age() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.stale = true
	}
}

// refuse has every new connection fail, or with nil succeed again.
func (s *script) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = err
}

func (s *script) do(ctx context.Context, fn func(ctx context.Context) error, opts ...atomic.Option) error {
	return atomic.Do(ctx, s.db, fn, opts...)
}

// exec sends a text of the caller's.
func (s *script) exec(ctx context.Context, text string, args ...any) error {
	_, err := s.db.Exec(ctx, block.Statement{SQL: text, Args: args})
	return err
}

// must is exec of a statement that succeeds.
func (s *script) must(ctx context.Context, texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		require.NoError(s.t, s.exec(ctx, text))
	}
}

// all sends a text of the library's own and reads its rows.
func (s *script) all(ctx context.Context, text string) (values []driver.Value, err error) {
	err = s.db.Query(ctx, block.Statement{SQL: text, Built: true}, func(rows driver.Rows) error {
		row := make([]driver.Value, 1)
		for {
			if err := rows.Next(row); err != nil {
				if err == io.EOF {
					return nil
				}
				return err
			}
			values = append(values, row[0])
		}
	})
	return values, err
}

// stream sends a SELECT whose rows the test reads.
func (s *script) stream(ctx context.Context, text string) (driver.Rows, error) {
	return s.db.Stream(ctx, block.Statement{SQL: text})
}

// next reads one row.
func next(rows driver.Rows) (driver.Value, error) {
	row := make([]driver.Value, 1)
	err := rows.Next(row)
	return row[0], err
}

// aside runs f on another goroutine until it ends, or waits for something;
// result then waits for its end.
func aside(f func() error) (result func() error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	settle()
	return func() error { return <-done }
}

// settle lets the other goroutines run until each of them waits: only then does
// the clock of the bubble move. Unlike synctest.Wait several may call it at once.
func settle() { pass(time.Nanosecond) }

// pass lets time go by.
func pass(d time.Duration) { <-time.After(d) }

// connected are the numbers of the connections that have not been closed.
func (s *script) connected() (numbers []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if !c.closed {
			numbers = append(numbers, c.number)
		}
	}
	return numbers
}
