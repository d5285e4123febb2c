package sqlite

import (
	"context"
	"database/sql/driver"

	modernc "modernc.org/sqlite"
)

// rawConn is what the driver's connection can do, also when another driver
// wraps it.
type rawConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// connector opens the pool's connections.
type connector struct {
	driver.Connector
	settings
	queue  *queue
	anchor driver.Conn // keeps a database in memory alive until the pool is closed
}

func newConnector(dsn string, s settings, inMemory bool) (*connector, error) {
	inner, err := modernc.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	c := &connector{Connector: inner, settings: s, queue: newQueue()}
	if inMemory {
		if c.anchor, err = inner.Connect(context.Background()); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Connect opens a connection with a wire of its own, which lives as long.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	raw, ok := opened.(rawConn)
	if !ok {
		return opened, nil // a later version of the driver with less in it
	}
	w := &wire{conn: raw, queue: c.queue, wait: c.busy, cache: newCache(c.cache)}
	if hooks, ok := opened.(hooking); ok {
		w.hooked = true
		hooks.RegisterCommitHook(w.commits)
		hooks.RegisterRollbackHook(w.rollsBack)
	}
	return &conn{rawConn: raw, wire: w}, nil
}

// hooking is a connection that tells how transactions end.
type hooking interface {
	RegisterCommitHook(modernc.CommitHookFn)
	RegisterRollbackHook(modernc.RollbackHookFn)
}

// commits is called before SQLite writes what it commits.
func (w *wire) commits() int32 {
	w.committed = true
	return 0
}

// rollsBack is called when it rolls back, also after a commit that has failed.
func (w *wire) rollsBack() { w.undone = w.committed }

// Close is called when the pool is closed.
func (c *connector) Close() error {
	if c.anchor != nil {
		return c.anchor.Close()
	}
	return nil
}

// conn is one connection of a pool that this package opened.
type conn struct {
	rawConn
	wire *wire
}

// Close gives up what the wire holds, and the connection.
func (c *conn) Close() error {
	c.wire.lost = true
	c.wire.cache.close()
	err := c.rawConn.Close()
	c.wire.ended() // after the transaction is gone
	return err
}

// IsValid keeps a connection that is no good out of the pool. The driver gives
// up a connection as well when an interrupt came too late for its statement;
// SQLite forgets such an interrupt when the next statement begins.
func (c *conn) IsValid() bool { return !c.wire.lost }

// ResetSession implements driver.SessionResetter.
func (c *conn) ResetSession(context.Context) error {
	if c.wire.lost {
		return driver.ErrBadConn
	}
	return nil
}
