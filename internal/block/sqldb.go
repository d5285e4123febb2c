package block

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// Everything on database/sql joins: connector, frontConn, frontStmt and frontTx
// are a driver whose connections are only addresses. Each call goes to the
// executor with its ctx, which finds the block there or takes a real connection from the
// database's pool.

type connector struct{ executor *Executor }

// Connect returns a connection that reaches the server only when it is used.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	return &frontConn{executor: c.executor}, nil
}

// Driver returns the connector itself.
func (c connector) Driver() driver.Driver { return c }

// Open is there for driver.Driver; database/sql never calls it.
func (c connector) Open(string) (driver.Conn, error) { return &frontConn{executor: c.executor}, nil }

type frontConn struct {
	executor *Executor
	tx       *frontTx // of BeginTx; its statements go there whatever their ctx says
	pin      pin
}

// in is ctx for a statement of the connection, and what keeps the real one for
// those that may follow.
func (c *frontConn) in(ctx context.Context) (context.Context, *pin, error) {
	if c.tx != nil {
		if err := c.tx.over(); err != nil {
			return nil, nil, err
		}
		if ctx == context.Background() { // tx.Exec and its like: what ends the transaction ends it
			ctx = c.tx.ctx
		}
		return c.executor.with(ctx, &scope{block: c.tx.block}), nil, nil
	}
	ctx, pin := c.pin.in(ctx, c.executor)
	return ctx, pin, nil
}

// ExecContext implements driver.ExecerContext.
func (c *frontConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx, pin, err := c.in(ctx)
	if err != nil {
		return nil, err
	}
	return c.executor.Exec(ctx, Statement{SQL: query, Args: plain(args), Script: len(args) == 0, pin: pin})
}

// QueryContext implements driver.QueryerContext.
func (c *frontConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	ctx, pin, err := c.in(ctx)
	if err != nil {
		return nil, err
	}
	return c.executor.Stream(ctx, Statement{SQL: query, Args: plain(args), pin: pin})
}

// CheckNamedValue leaves every value to the driver of the real connection.
func (c *frontConn) CheckNamedValue(*driver.NamedValue) error { return nil }

// Prepare implements driver.Conn.
func (c *frontConn) Prepare(query string) (driver.Stmt, error) { return &frontStmt{c, query}, nil }

// PrepareContext sends nothing: the real connection is known only when the
// statement runs, and keeps its own prepared statements.
func (c *frontConn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	return &frontStmt{c, query}, nil
}

// Begin implements driver.Conn; database/sql calls BeginTx.
func (c *frontConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx opens a block that is ended by hand: nested in the one of ctx, or an
// outermost one.
func (c *frontConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.tx != nil {
		if err := c.tx.over(); err != nil {
			return nil, err
		}
		return nil, &atomic.BlockError{Block: c.tx.block.Info(), Kind: atomic.ErrTransactionControl, Reason: "this connection is in a transaction already"}
	}
	// What a transaction leaves in its session is for the statements after it; but one
	// that only reads may have its place on a replica, which no session has.
	if _, pin := c.pin.in(ctx, c.executor); pin != nil && !(opts.ReadOnly && c.executor.replicas != nil) {
		pin.session(ctx)
	}
	ctx, _ = c.pin.in(ctx, c.executor)
	o := &seam.Options{Isolation: sql.IsolationLevel(opts.Isolation), ReadOnly: opts.ReadOnly, ByHand: true}
	o.Over = func() error { return endedWith(ctx) }
	sc := c.executor.scope(ctx)
	parent, err := sc.enclosing()
	if err != nil {
		return nil, err
	}
	var b *block
	if parent == nil {
		o.Complete(&c.executor.settings.Block)
		// Nothing is sent yet, but a caller on database/sql counts on hearing of it here.
		_, err := c.executor.db.Engine.Begin(backend.TxOptions{Isolation: o.Isolation, ReadOnly: o.ReadOnly})
		if err != nil {
			return nil, err
		}
	}
	if parent == nil {
		var t *transaction
		if t, err = c.executor.begin(ctx, ctx, sc, o, seam.Here()); err == nil {
			b = t.root
		}
	} else if names := o.OutermostOnly(); names != "" {
		err = &atomic.BlockError{Block: parent.Info(), Kind: atomic.ErrOption, Reason: names + " cannot be honoured by a transaction inside this block"}
	} else {
		b, err = parent.enter(ctx, o, seam.Here(), true)
	}
	if err != nil {
		return nil, err
	}
	c.tx = &frontTx{conn: c, block: b, ctx: ctx}
	return c.tx, nil
}

// Ping asks the server outside any block; a block's connection is left alone.
func (c *frontConn) Ping(ctx context.Context) error {
	if c.tx != nil || c.executor.inBlock(ctx) {
		return nil
	}
	return c.executor.db.Pool.PingContext(ctx)
}

// ResetSession implements driver.SessionResetter. There is nothing to reset; but with it
// database/sql keeps a connection whose transaction's ctx has ended, instead of closing the
// owner's *sql.Conn from a goroutine of its own, which a statement that is sent at that
// moment does not survive: it finds a nil pointer, and panics (Conn.grabConn, Go 1.26).
func (c *frontConn) ResetSession(context.Context) error { return nil }

// IsValid implements driver.Validator: database/sql calls it when the connection
// comes back, from a single call or from the owner of a *sql.Conn.
func (c *frontConn) IsValid() bool {
	c.pin.release()
	return true
}

// Close rolls back a transaction that was left open.
func (c *frontConn) Close() (err error) {
	if c.tx != nil {
		err = c.tx.Rollback()
	}
	c.pin.release()
	return err
}

type frontTx struct {
	conn  *frontConn
	block *block
	ctx   context.Context
}

// over is the error for what comes after the ctx of BeginTx has ended. database/sql rolls
// the transaction back then, but a moment later and on a goroutine of its own: what the
// owner of a *sql.Conn sent meanwhile would have its answer, and be rolled back as well.
func (t *frontTx) over() error {
	err := endedWith(t.ctx)
	if err == nil {
		return nil
	}
	return &atomic.BlockError{Block: t.block.Info(), Kind: atomic.ErrBlockClosed, Reason: "the ctx of BeginTx has ended, and with it the transaction; nothing was sent", Err: err}
}

// endedWith is why the ctx of BeginTx, and so its transaction, has ended, or nil.
func endedWith(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return causeOf(ctx)
}

// Commit ends the block as a Do whose fn returned nil.
func (t *frontTx) Commit() error { return t.end(nil) }

// Rollback ends the block as one that asked for it.
func (t *frontTx) Rollback() error { return t.end(atomic.Rollback) }

func (t *frontTx) end(err error) error {
	t.conn.tx = nil
	how := t.block.tx.byHand(t.ctx, err)
	if !t.block.Outermost() {
		_, err := t.block.endNested(how)
		return err
	}
	_, err = t.block.tx.end(t.ctx, how)
	return err
}

type frontStmt struct {
	conn  *frontConn
	query string
}

// Close implements driver.Stmt.
func (s *frontStmt) Close() error { return nil }

// NumInput leaves the count of the values to the server.
func (s *frontStmt) NumInput() int { return -1 }

// Exec implements driver.Stmt; database/sql calls ExecContext.
func (s *frontStmt) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }

// Query implements driver.Stmt; database/sql calls QueryContext.
func (s *frontStmt) Query([]driver.Value) (driver.Rows, error) { return nil, driver.ErrSkip }

// ExecContext implements driver.StmtExecContext.
func (s *frontStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.ExecContext(ctx, s.query, args)
}

// QueryContext implements driver.StmtQueryContext.
func (s *frontStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.QueryContext(ctx, s.query, args)
}

func plain(args []driver.NamedValue) []any {
	if len(args) == 0 {
		return nil
	}
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
		if a.Name != "" {
			values[i] = sql.Named(a.Name, a.Value)
		}
	}
	return values
}
