package backend

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// Tools is a new *sql.DB over the same server and settings, past every wire: its
// statements are their owner's. To close it closes nothing of d.
func (d *Database) Tools() *sql.DB {
	if d.Connector != nil {
		return sql.OpenDB(d.Connector)
	}
	lent := sql.OpenDB(lender{d.Pool})
	lent.SetMaxIdleConns(-1) // an idle one would be one that nobody else has
	return lent
}

// lender makes connections of those of a pool of the application's, which stays
// open when a tool closes what it was given.
type lender struct{ pool *sql.DB }

// Connect implements driver.Connector.
func (l lender) Connect(ctx context.Context) (driver.Conn, error) {
	held, err := l.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	lent := &lentConn{held: held}
	// Nobody else has the connection until held is closed.
	err = held.Raw(func(c any) (err error) {
		var ok bool
		if lent.Conn, ok = c.(driver.Conn); !ok {
			err = errors.New("the pool's driver has no connection of its own")
		}
		return err
	})
	if err != nil {
		_ = held.Close()
		return nil, err
	}
	return lent, nil
}

// Driver implements driver.Connector.
func (l lender) Driver() driver.Driver { return l.pool.Driver() }

// lentConn is a connection of a pool for as long as its tool has it. What the
// driver does not have database/sql does in another way.
type lentConn struct {
	driver.Conn
	held *sql.Conn
}

// Close gives the connection back.
func (c *lentConn) Close() error { return c.held.Close() }

// ExecContext implements driver.ExecerContext.
func (c *lentConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if e, ok := c.Conn.(driver.ExecerContext); ok {
		return e.ExecContext(ctx, query, args)
	}
	return nil, driver.ErrSkip
}

// QueryContext implements driver.QueryerContext.
func (c *lentConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if q, ok := c.Conn.(driver.QueryerContext); ok {
		return q.QueryContext(ctx, query, args)
	}
	return nil, driver.ErrSkip
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *lentConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if p, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, query)
	}
	return c.Prepare(query)
}

// BeginTx implements driver.ConnBeginTx.
func (c *lentConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if b, ok := c.Conn.(driver.ConnBeginTx); ok {
		return b.BeginTx(ctx, opts)
	}
	if opts.ReadOnly || opts.Isolation != driver.IsolationLevel(sql.LevelDefault) {
		return nil, errors.New("the pool's driver knows no transaction options")
	}
	return c.Begin()
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *lentConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// Ping implements driver.Pinger.
func (c *lentConn) Ping(ctx context.Context) error {
	if p, ok := c.Conn.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

// ResetSession implements driver.SessionResetter.
func (c *lentConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// IsValid implements driver.Validator.
func (c *lentConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}
