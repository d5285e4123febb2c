package block

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// connection is one connection taken out of the pool. While it is out nobody
// else can reach the driver's connection, so its wire is used directly.
type connection struct {
	pool  *sql.Conn
	wire  backend.Wire
	dirty bool // its session may have been changed: not for others

	replica *replica // nil: the writer

	id int64 // its number on the server, for ExplainLocks; 0: not known
}

// connectError says that no connection could be had, so that nothing was sent.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// connect takes a connection out of the pool, within ctx.
func (x *Executor) connect(ctx context.Context) (*connection, error) {
	return x.connectTo(ctx, x.db.Pool)
}

// connectAnyhow is connect for what those who have the pool's connections may be
// waiting for. A server that has no room for one more may have it for the pool.
func (x *Executor) connectAnyhow(ctx context.Context) (*connection, error) {
	if x.db.Reserve == nil {
		return x.connect(ctx)
	}
	conn, err := x.connectTo(ctx, x.db.Reserve)
	if err == nil || ctx.Err() != nil {
		return conn, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, poolErr := x.connect(ctx)
	if poolErr != nil {
		return nil, err
	}
	return conn, nil
}

func (x *Executor) connectTo(ctx context.Context, pool *sql.DB) (*connection, error) {
	return connectOver(ctx, pool, x.db.Engine)
}

// home is the pool that the connection is of.
func (c *connection) home(x *Executor) *sql.DB {
	if c.replica != nil {
		return c.replica.db.Pool
	}
	return x.db.Pool
}

// fails reports whether a read on a replica may be tried elsewhere: the connection is
// gone, and with it perhaps the server.
func (c *connection) fails(ctx context.Context, x *Executor, err error) bool {
	if c.replica == nil || x.classify(err).Kind != dialect.ErrConnectionLost || ctx.Err() != nil {
		return false
	}
	c.replica.leave(x, x.classify(err), c.replica.missed())
	return true
}

// giveBack returns the connection to the pool if it is known to be idle and
// clean, and closes it otherwise (rule B13).
func (c *connection) giveBack() {
	told, ok := c.wire.(backend.SessionTeller)
	if c.dirty || !c.wire.Idle() || ok && told.SessionChanged() {
		c.discard()
		return
	}
	_ = c.pool.Close()
}

// discard closes the connection. The server then rolls back what it had open.
func (c *connection) discard() {
	// ErrBadConn out of Raw is how database/sql is told to close a connection
	// instead of pooling it.
	_ = c.pool.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.pool.Close()
}

// stales counts the stale connections that one statement finds: how many each pool may
// still hold, the writer's and those of replicas.
type stales map[*sql.DB]int

// another reports whether to look for another connection: as often as the pool
// can have held stale ones when the first was found.
func (s *stales) another(pool *sql.DB) bool {
	if *s == nil { // few statements find any
		*s = stales{}
	}
	left, found := (*s)[pool]
	if !found {
		left = pool.Stats().OpenConnections
	}
	(*s)[pool] = left - 1
	return left > 0
}

// markSession notes that a caller's statement may have changed the session.
func (c *connection) markSession(x *Executor, st Statement) {
	if st.Built {
		return
	}
	// What a procedure does unseen may stay with the connection, and so does some
	// of what commits: FLUSH TABLES WITH READ LOCK.
	v := x.db.Engine.Inspect(st.SQL)
	c.dirty = c.dirty || v.Session || v.Opaque || v.Control != ""
}

// outside sends a statement outside any block, on a connection of the pool,
// which it returns for the rows to be read. The statement is sent at most once
// (rule S6): another connection is tried only when nothing has left on the
// first.
func (x *Executor) outside(ctx context.Context, st Statement, send func(backend.Wire) error) (*connection, error) {
	return x.outsideOn(ctx, func(ctx context.Context) (*connection, error) {
		if st.Replica {
			if conn := x.replica(ctx); conn != nil {
				return conn, nil
			}
		}
		release, err := x.scope(ctx).outer.roomFor(x)
		if err != nil {
			return nil, err
		}
		defer release()
		return x.connect(ctx)
	}, st, send)
}

// outsideOn is outside on a connection of connect's.
func (x *Executor) outsideOn(ctx context.Context, connect func(context.Context) (*connection, error), st Statement, send func(backend.Wire) error) (*connection, error) {
	var stales stales
	for {
		conn, err := connect(ctx)
		if errors.Is(err, atomic.ErrPoolExhausted) {
			return nil, err
		}
		if err != nil && hasEnded(ctx) {
			return nil, x.unsent(ctx, nil, st)
		}
		if err != nil {
			return nil, x.failure(ctx, nil, st, err)
		}
		err = conn.safely(send)
		if err == nil {
			return conn, nil
		}
		if stale(err) && ctx.Err() == nil && stales.another(conn.home(x)) || x.reads(st) && conn.fails(ctx, x, err) {
			conn.discard()
			continue
		}
		if !x.classify(err).NotSent {
			conn.markSession(x, st) // it may have failed half-way: SELECT pg_advisory_lock(1), 1/0
		}
		x.toldInPart(ctx, conn, st, err)
		conn.giveBack()
		return nil, x.outcome(ctx, st, err)
	}
}

// safely closes the connection if send panics: reading rows runs code that is
// not ours.
func (c *connection) safely(send func(backend.Wire) error) error {
	returned := false
	defer func() {
		if !returned {
			c.discard()
		}
	}()
	err := send(c.wire)
	returned = true
	return err
}

// stale reports whether the connection was found closed before anything was
// sent on it.
func stale(err error) bool {
	var n *backend.NotSentError
	return errors.As(err, &n) && n.Closed
}
