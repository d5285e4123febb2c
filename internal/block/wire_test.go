package block_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// engine spells so that one can see at a glance what was meant.
type engine struct{ script *script }

// spelling is where the limit on waiting for locks is set.
type spelling uint8

const (
	inside        spelling = iota // in the transaction, and taken back in it (MySQL)
	before                        // in front of BEGIN (SQLite)
	transactional                 // the server takes it back with the transaction (PostgreSQL)
)

func (e *engine) Wire(driverConn any) backend.Wire { return driverConn.(*conn) }

func (e *engine) Begin(o backend.TxOptions) (backend.Control, error) {
	if o.Isolation == sql.LevelLinearizable {
		return backend.Control{}, &dialect.UnsupportedError{Server: e.script.setup.server, Feature: "isolation level Linearizable"}
	}
	c := backend.Control{Begin: "BEGIN", Transactional: e.script.setup.spelling == transactional}
	if o.Isolation != sql.LevelDefault {
		c.Before = append(c.Before, "SET ISOLATION "+o.Isolation.String())
	}
	if o.ReadOnly {
		c.Begin += " READ ONLY"
	}
	if o.Deferrable {
		c.Begin += " DEFERRABLE"
	}
	for i, limit := range []time.Duration{o.Timeout, o.Idle} {
		name := [...]string{"TIMEOUT", "IDLE"}[i]
		if limit > 0 {
			c.Inside = append(c.Inside, fmt.Sprintf("SET %s %v", name, limit))
			c.Restore = append(c.Restore, "RESET "+name)
		}
	}
	return c, nil
}

func (e *engine) LockWait(d time.Duration) backend.Control {
	c := backend.Control{Restore: []string{"RESET WAIT"}, Transactional: e.script.setup.spelling == transactional}
	set := []string{"SET WAIT " + d.String()}
	if e.script.setup.spelling == before {
		c.Before = set
	} else {
		c.Inside = set
	}
	return c
}

func (e *engine) Classify(err error) *dialect.Error {
	if err == nil {
		return nil
	}
	named := &dialect.Error{Engine: "script", Message: err.Error(), Err: err}
	var known *serverError
	if errors.As(err, &known) {
		named.Kind, named.Code, named.Fatal = known.kind, known.code, known.fatal
	}
	return named
}

// Inspect goes by the first word.
func (e *engine) Inspect(query string) lex.Verdict {
	var v lex.Verdict
	switch word, _, _ := strings.Cut(query, " "); word {
	case "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT":
		v.Control = word
	case "CREATE":
		v.Control = "CREATE TABLE (implicit commit)"
	case "SET":
		v.Session = true
	case "CALL":
		v.Opaque = true
	}
	v.Stacked = strings.Contains(query, ";")
	return v
}

func (e *engine) Rebind(query string) string { return query }

func (e *engine) Resolver() backend.Resolver {
	return resolver{ahead: e.script.setup.spelling == transactional}
}

func (e *engine) Once() backend.OnceTexts {
	return backend.OnceTexts{
		Claim: "CLAIM", Late: func(string, string, time.Duration) string { return "LATE" }, Read: "READ",
		Again: "AGAIN", Finish: "FINISH", Fail: "FAIL", Purge: "PURGE", Confirm: "CONFIRM",
	}
}

// connector is the script's driver.
type connector struct{ script *script }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	s := c.script
	if r := s.take("(connect)"); r.until != nil {
		if r.patient { // it does not hear ctx
			ctx = context.WithoutCancel(ctx)
		}
		select {
		case <-r.until:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused != nil {
		return nil, s.refused
	}
	s.conns = append(s.conns, &conn{script: s, number: len(s.conns) + 1})
	return s.conns[len(s.conns)-1], nil
}

func (c connector) Driver() driver.Driver            { return c }
func (c connector) Open(string) (driver.Conn, error) { return nil, errors.New("not in use") }

// conn is one connection, and its wire.
type conn struct {
	script *script
	number int
	begun  bool // a transaction is open
	used   bool
	ran    bool // the prefix of the last call
	lost   bool
	stale  bool // the server has closed it, which nobody has noticed yet
	closed bool
	rows   *rows // the last result
}

// self is the connection of a wire that has more of its own.
func (c *conn) self() *conn { return c }

var errUnbindable = errors.New("a value that the driver cannot bind")

func (c *conn) start(ctx context.Context, args []any) error {
	switch {
	case c.lost:
		return &backend.NotSentError{Closed: true, Err: errors.New("closed before")}
	case ctx.Err() != nil:
		return &backend.NotSentError{Err: ctx.Err()}
	case c.stale && c.used:
		c.lost = true
		return &backend.NotSentError{Closed: true, Err: errors.New("stale")}
	}
	for _, arg := range args {
		if _, ok := arg.(chan int); ok {
			return &backend.NotSentError{Err: errUnbindable}
		}
	}
	c.used = true
	if c.rows != nil && !c.rows.closed {
		c.script.t.Errorf("connection %d: a statement while rows are being read (rule B10)", c.number)
	}
	return nil
}

// say is one statement within a round trip.
func (c *conn) say(ctx context.Context, text string) (reply, error) {
	if strings.HasPrefix(text, "BEGIN") {
		c.begun = true
	}
	r := c.script.take(text)
	if r.until != nil || r.silent {
		select {
		case <-r.until: // nil: never
		case <-ctx.Done():
			if !r.patient {
				c.lost = true
				return r, ctx.Err()
			}
			if r.err == nil {
				r.err = ctx.Err()
			}
		}
	}
	if r.panics != nil {
		panic(r.panics)
	}
	if r.over {
		c.begun = false
	}
	c.begun = c.begun || r.opens
	if r.err != nil && errors.Is(c.named(r.err), dialect.ErrConnectionLost) {
		c.lost, c.begun = true, false
	}
	return r, r.err
}

func (c *conn) named(err error) error { return (&engine{}).Classify(err) }

func (c *conn) send(ctx context.Context, prefix []string, query string, args []any) (reply, error) {
	if err := c.start(ctx, args); err != nil {
		return reply{}, err
	}
	c.script.note(c, append(append([]string(nil), prefix...), query)...)
	c.ran = false
	for _, text := range prefix {
		if _, err := c.say(ctx, text); err != nil {
			if text == "BEGIN" && !c.lost {
				c.begun = false
			}
			return reply{}, &backend.PrefixError{Statement: text, Err: err}
		}
	}
	c.ran = true
	return c.say(ctx, query)
}

func (c *conn) Exec(ctx context.Context, prefix []string, query string, args []any) (driver.Result, error) {
	r, err := c.send(ctx, prefix, query, args)
	if err != nil {
		return nil, err
	}
	return driver.RowsAffected(r.affected), nil
}

func (c *conn) Query(ctx context.Context, prefix []string, query string, args []any) (driver.Rows, error) {
	r, err := c.send(ctx, prefix, query, args)
	if err != nil {
		return nil, err
	}
	c.rows = &rows{conn: c, left: r.rows, failure: r.failure, more: r.more, closing: r.closing}
	return c.rows, nil
}

func (c *conn) Commit(ctx context.Context, prefix []string) error {
	if _, err := c.send(ctx, prefix, "COMMIT", nil); err != nil {
		return err
	}
	c.begun = false
	return nil
}

// carrier is a wire on which a statement travels with COMMIT.
type carrier struct{ *conn }

func (c carrier) CommitWith(ctx context.Context, prefix []string, query string, _ []any) error {
	return c.Commit(ctx, append(append([]string(nil), prefix...), query))
}

func (c *conn) Rollback(ctx context.Context, suffix []string) error {
	if err := c.start(ctx, nil); err != nil {
		return err
	}
	c.script.note(c, append([]string{"ROLLBACK"}, suffix...)...)
	if _, err := c.say(ctx, "ROLLBACK"); err != nil {
		return err
	}
	c.begun = false
	for _, text := range suffix {
		if _, err := c.say(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// PrefixRan implements backend.PrefixTeller.
func (c *conn) PrefixRan() bool { return c.ran }

func (c *conn) Alive() bool { return !c.lost }
func (c *conn) Idle() bool  { return !c.begun && !c.lost }
func (c *conn) Used() bool  { return c.used }
func (c *conn) ID() int64 {
	if c.script.setup.anonymous {
		return 0
	}
	return int64(c.number)
}

// Ping, Close, Prepare and Begin are what database/sql wants of a connection.
func (c *conn) Ping(ctx context.Context) error {
	_, err := c.send(ctx, nil, "PING", nil)
	return err
}

func (c *conn) Close() error {
	c.script.mu.Lock()
	defer c.script.mu.Unlock()
	c.closed = true
	return c.script.setup.closing
}

func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not in use") }
func (c *conn) Begin() (driver.Tx, error)           { return nil, errors.New("not in use") }

// rows are of one column.
type rows struct {
	conn    *conn
	left    []driver.Value
	failure error
	more    []driver.Value // the next result set; nil: none
	closing error
	closed  bool
}

func (r *rows) Columns() []string { return []string{"value"} }

func (r *rows) Next(dest []driver.Value) error {
	r.open("Next")
	if len(r.left) == 0 {
		return r.end()
	}
	dest[0], r.left = r.left[0], r.left[1:]
	return nil
}

// end is what the server says when there are no more rows.
func (r *rows) end() error {
	err := r.failure
	r.failure = nil
	if err == nil {
		return io.EOF
	}
	if errors.Is(r.conn.named(err), dialect.ErrConnectionLost) {
		r.conn.lost, r.conn.begun = true, false
	}
	return err
}

func (r *rows) HasNextResultSet() bool { return r.more != nil }

func (r *rows) NextResultSet() error {
	r.open("NextResultSet")
	if r.more == nil {
		return io.EOF
	}
	r.left, r.more = r.more, nil
	return nil
}

// Close reads the rest, and finds an error there.
func (r *rows) Close() error {
	r.open("Close")
	r.closed, r.left = true, nil
	if err := r.end(); err != io.EOF {
		return err
	}
	return r.closing
}

// open looks whether anybody still uses rows that are closed: the connection may
// be somebody else's by then.
func (r *rows) open(call string) {
	if r.closed {
		r.conn.script.t.Errorf("connection %d: %s of rows that are closed", r.conn.number, call)
	}
}
