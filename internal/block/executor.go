package block

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	syncatomic "sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// Settings are a database's defaults for its blocks and sessions.
type Settings struct {
	// ManualCommit switches autocommit off (rule A2): a statement outside a
	// block then needs a session.
	ManualCommit bool
	// Block is what an outermost block has that does not say otherwise (rule B18).
	Block seam.Options
	// CommitTimeout limits a running COMMIT, which ctx does not cancel (rule
	// B11). 0 means 30 s.
	CommitTimeout time.Duration
	// Logger gets what cannot be returned, such as the error of a Robust hook.
	// nil means slog.Default().
	Logger *slog.Logger
}

// Executor is the one place where statements leave the process. It finds the block
// in a statement's ctx and sends the statement on that block's connection under
// that block's rules, or outside any block on a connection of the pool.
type Executor struct {
	db       *backend.Database
	settings Settings
	front    *sql.DB
	closed   syncatomic.Bool
	queue    queue
	keys     keys

	inquiries inquiries
	replicas  *Replicas // nil: none
}

// New returns the executor of an opened database.
func New(db *backend.Database, s Settings) *Executor {
	x := &Executor{db: db, settings: s}
	x.front = sql.OpenDB(connector{x})
	x.front.SetMaxIdleConns(64) // they are only structs; the real ones are in db.Pool
	return x
}

// Executor returns x: it is itself a database for package atomic.
func (x *Executor) Executor() seam.Executor { return x }

// Of is the executor of db. Nobody but this package makes one.
func Of(db atomic.DB) *Executor { return db.Executor().(*Executor) }

// Database returns the database behind it.
func (x *Executor) Database() *backend.Database { return x.db }

// SQL returns a *sql.DB whose calls look at their ctx: in a block they run on
// the block's connection under its rules, and BeginTx opens a nested block;
// outside they go to the pool. So code written for database/sql, or for a
// library on top of it, joins a block by passing ctx on. A transaction that it
// begins does not show in ctx: a statement through the *sql.Tx belongs to it,
// and one with the plain ctx is then ErrOuterContext inside a block, and outside
// any block runs beside the transaction. A *sql.Conn is a session: it has one
// connection from its first statement to its Close, and its statements with the ctx
// of a block are the block's (rule S27).
//
// A text of several statements goes through if it has no values and asks for no
// rows: outside a block, and in one on PostgreSQL and SQLite (rule B15).
//
// Prepare sends nothing: what is wrong with a text is told when it is first run.
// (*sql.Conn).Raw hands out an address and no driver's connection, on which a
// statement would bypass every block.
//
// Its own pool settings mean nothing: connections come from the database's pool.
func (x *Executor) SQL() *sql.DB { return x.front }

// Close closes the executor and the database. Blocks in progress are rolled back.
func (x *Executor) Close() error {
	x.closed.Store(true)
	err := x.front.Close()
	if dbErr := x.db.Close(); dbErr != nil {
		err = dbErr
	}
	if dbErr := x.replicas.close(); dbErr != nil {
		err = dbErr
	}
	return err
}

// Exec sends a statement that returns no rows. Errors are a *FailedError with
// the server's error in its chain, or one of this package's errors when
// nothing was sent.
func (x *Executor) Exec(ctx context.Context, st Statement) (driver.Result, error) {
	if !st.Built {
		if verb, name := x.savepointText(st.SQL); verb != 0 {
			if b, err := x.scope(ctx).enclosing(); err != nil {
				return nil, err
			} else if b != nil {
				return driver.RowsAffected(0), x.steer(ctx, b, verb, name)
			}
		}
		if parts := x.parts(st); parts != nil {
			return x.execParts(ctx, st, parts)
		}
	}
	var res driver.Result
	err := x.run(ctx, st, func(w backend.Wire, prefix []string, query string) (_ func() error, err error) {
		res, err = st.exec(ctx, w, prefix, query)
		return nil, err
	})
	if again, ok, err := x.again(ctx, st, err); ok {
		return x.Exec(ctx, again)
	} else if err != nil {
		return nil, err
	}
	if st.Judge != nil {
		if err := st.Judge(res); err != nil {
			return nil, x.reject(ctx, st, err)
		}
	}
	return res, nil
}

// reject is the failure of a statement that the server has carried out, but that
// did not do what it was for.
func (x *Executor) reject(ctx context.Context, st Statement, err error) error {
	if b, _ := x.scope(ctx).enclosing(); b == nil {
		return &atomic.FailedError{Statement: x.shown(st), Err: err}
	}
	return x.Failed(ctx, st, err)
}

// Failed marks the block of ctx (rule B6): what was to be done in it has failed,
// though no statement of the block itself, and returns err with what the mark
// says. Outside a block, and where a statement would not be let in, it returns err
// as it is.
func (x *Executor) Failed(ctx context.Context, st Statement, err error) error {
	b, _ := x.scope(ctx).enclosing()
	if b == nil || b.Usable() != nil {
		return err
	}
	var f *atomic.FailedError
	if !errors.As(err, &f) {
		f = &atomic.FailedError{Block: b.Info(), Statement: x.shown(st), Err: err}
		err = f
	}
	_ = b.tx.mark(b, f, nil)
	return err
}

// Query sends a statement and hands its rows to read, once, while the
// connection is held. An error of the server in the middle of the rows is
// returned like any other. read must not send statements of the same block.
func (x *Executor) Query(ctx context.Context, st Statement, read func(driver.Rows) error) error {
	var readErr error
	var some *rest
	if sc := x.scope(ctx); !st.Built && sc.block == nil && sc.session == nil && x.onlyReads(st) { // a caller's text may have more rows than are read
		some = newRest(ctx)
		defer some.release()
		ctx = some
	}
	returned := false
	defer func() {
		if !returned { // a Scanner has panicked: what the statement was for is not done (B6)
			_ = x.Failed(ctx, st, errors.New("reading its rows panicked, or called runtime.Goexit"))
		}
	}()
	err := x.run(ctx, st, func(w backend.Wire, prefix []string, query string) (func() error, error) {
		rows, err := w.Query(ctx, prefix, query, st.Args)
		if err != nil {
			return nil, err
		}
		watched := x.watch(rows, some)
		return func() error {
			defer watched.Close() // when read panics, the connection must be free for the ROLLBACK
			readErr = read(watched)
			_ = watched.Close()
			return watched.failure
		}, nil
	})
	returned = true
	again, ok, err := x.again(ctx, st, err)
	if ok {
		return x.Query(ctx, again, read)
	}
	if err != nil || readErr == nil || readErr == sql.ErrNoRows { // finding nothing is an answer
		return cmp.Or(err, readErr)
	}
	return x.Failed(ctx, st, readErr)
}

// Stream sends a statement and returns its rows for the caller to read and
// close. Until then the connection is busy: in a block another statement is
// ErrRowsOpen (rule B10).
func (x *Executor) Stream(ctx context.Context, st Statement) (driver.Rows, error) {
	rows, err := x.stream(ctx, st)
	if again, ok, err := x.again(ctx, st, err); ok {
		return x.stream(ctx, again)
	} else if err != nil {
		return nil, err
	}
	return rows, nil
}

func (x *Executor) stream(ctx context.Context, st Statement) (driver.Rows, error) {
	b, s, err := x.admit(ctx, st)
	switch {
	case err != nil:
		return nil, err
	case b != nil:
		return b.tx.stream(ctx, b, st)
	case s != nil:
		return s.stream(ctx, st)
	}
	var rows driver.Rows
	rest := newRest(ctx)
	conn, err := x.outside(ctx, st, func(w backend.Wire) (err error) {
		rows, err = w.Query(rest, x.tell(ctx, w, st), st.SQL, st.Args)
		return err
	})
	if err != nil {
		rest.release()
		return nil, err
	}
	conn.markSession(x, st)
	st.pin.reads(true)
	unwanted := rest
	if !x.onlyReads(st) {
		unwanted = nil
	}
	return x.newStream(rows, unwanted, func(err error) error {
		defer rest.release()
		defer st.pin.keep(conn)
		st.pin.reads(false)
		conn.dirty = conn.dirty || rest.givenUp()
		if err != nil {
			x.toldInPart(ctx, conn, st, err)
			return x.outcome(ctx, st, err)
		}
		x.told(ctx, conn, st)
		return nil
	}), nil
}

// sender sends one statement with what travels in front of it. query is its
// text as the server gets it. Until it returns nil the statement can be repeated on
// a fresh connection, if its transaction died with a stale one. read, if it is not
// nil, reads the rows: by then it is known what was sent, and written down, since
// read runs code that is not ours and may never return.
type sender func(w backend.Wire, prefix []string, query string) (read func() error, err error)

// run sends st where its ctx says.
func (x *Executor) run(ctx context.Context, st Statement, send sender) error {
	b, s, err := x.admit(ctx, st)
	switch {
	case err != nil:
		return err
	case b != nil:
		return b.tx.run(ctx, b, st, send)
	case s != nil:
		return s.run(ctx, st, send)
	}
	var read func() error
	conn, err := x.outside(ctx, st, func(w backend.Wire) (err error) {
		read, err = send(w, x.tell(ctx, w, st), st.SQL)
		return err
	})
	if err != nil {
		return err
	}
	conn.markSession(x, st)
	if read != nil {
		err = conn.safely(func(backend.Wire) error { return read() })
	}
	if err == nil {
		x.told(ctx, conn, st)
	} else {
		x.toldInPart(ctx, conn, st, err)
	}
	st.pin.keep(conn)
	if err != nil {
		return x.outcome(ctx, st, err)
	}
	return nil
}

// admit finds where a statement belongs: to a block, to a session, or to
// neither.
func (x *Executor) admit(ctx context.Context, st Statement) (*block, *session, error) {
	sc := x.scope(ctx)
	switch {
	case sc.block != nil:
		return sc.block, nil, nil
	case sc.session != nil:
		b, err := sc.session.current(st)
		return b, sc.session, err
	}
	if _, err := sc.enclosing(); err != nil {
		return nil, nil, err
	}
	switch {
	case st.Locks:
		return nil, nil, &atomic.BlockError{Kind: atomic.ErrNotInBlock, Reason: "a locking read holds its lock only to the end of its transaction; run it inside atomic.Do"}
	case x.settings.ManualCommit:
		return nil, nil, &atomic.BlockError{Kind: atomic.ErrNoSession, Reason: "open one with Session, or run the statement inside atomic.Do"}
	}
	if err := st.pin.open(); err != nil {
		return nil, nil, err
	}
	return nil, nil, x.steers(st)
}

// steers refuses what is meant for the statements after it: outside a block each
// may go to another connection, and be committed by itself.
func (x *Executor) steers(st Statement) error {
	if st.Built {
		return nil
	}
	v := x.db.Engine.Inspect(st.SQL)
	if v.Refused != "" {
		return &atomic.BlockError{Kind: dialect.ErrUnsupported, Reason: v.Refused}
	}
	if v.Steers() {
		return &atomic.BlockError{Kind: atomic.ErrTransactionControl, Reason: v.Control + " as a text would not hold for the statements after it; use atomic.Do, or BeginTx of db.SQL()"}
	}
	if v.Stacked && !x.takesSeveral(st, false) {
		return x.severalRefused(nil, st)
	}
	return nil
}

func (s Settings) logger() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}

func (s Settings) commitTimeout() time.Duration {
	if s.CommitTimeout > 0 {
		return s.CommitTimeout
	}
	return 30 * time.Second
}
