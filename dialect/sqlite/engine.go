package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// engine implements backend.Engine.
type engine struct {
	server dialect.Server
	busy   time.Duration // what every connection starts with
	queue  *queue
	// file is the main database's path, as SQLite has resolved it; "" in memory.
	// private names what no other database has.
	file, private string
	readsOnly     bool // connections are query_only by themselves, and stay so
}

// Wire implements backend.Engine.
func (e *engine) Wire(driverConn any) backend.Wire {
	switch c := driverConn.(type) {
	case *conn:
		c.wire.readsOnly = e.readsOnly
		return c.wire
	case rawConn:
		return &wire{conn: c, queue: e.queue, wait: e.busy, used: true, readsOnly: e.readsOnly}
	}
	return backend.PlainWire(driverConn.(driver.Conn))
}

const (
	beginWrite = "BEGIN IMMEDIATE"
	beginRead  = "BEGIN"
	busyPragma = "PRAGMA busy_timeout = "
	readOnly   = "PRAGMA query_only = 1"
	readWrite  = "PRAGMA query_only = 0"
)

// Begin implements backend.Engine. Any isolation level will do: serializable,
// which every transaction is, satisfies the weaker ones. A read-only
// transaction cannot fail, so Deferrable is satisfied as well.
func (e *engine) Begin(o backend.TxOptions) (backend.Control, error) {
	if o.Isolation < sql.LevelDefault || o.Isolation > sql.LevelLinearizable {
		return backend.Control{}, &dialect.UnsupportedError{Server: e.server, Feature: fmt.Sprintf("isolation level %d", o.Isolation)}
	}
	c := backend.Control{Begin: beginWrite}
	if o.ReadOnly {
		c = backend.Control{Begin: beginRead, Inside: []string{readOnly}, Restore: []string{readWrite}}
		if e.readsOnly {
			c.Restore = nil
		}
	}
	return c, nil
}

// LockWait implements backend.Engine. The one lock there is, the write lock, is
// waited for when the transaction begins; so in one that has begun there is
// nothing left to limit. A limit is rounded up to a millisecond.
func (e *engine) LockWait(d time.Duration) backend.Control {
	return backend.Control{
		Before:  []string{busyPragma + milliseconds(max(d, 0))},
		Restore: []string{busyPragma + milliseconds(e.busy)},
	}
}

// Classify implements backend.Engine.
func (e *engine) Classify(err error) *dialect.Error { return classify(err) }

// Inspect implements backend.Engine.
func (e *engine) Inspect(query string) lex.Verdict { return inspect(query) }

// Rebind implements backend.Engine.
func (e *engine) Rebind(query string) string { return rebind(query) }

// Resolver implements backend.Engine.
func (e *engine) Resolver() backend.Resolver { return resolver{} }

// AdvisoryLock implements backend.AdvisoryLocker. The block has the write lock,
// and with it every name.
func (e *engine) AdvisoryLock(_ string, wait *time.Duration) backend.Advisory {
	return backend.Advisory{SQL: "SELECT 1", Wait: wait}
}
