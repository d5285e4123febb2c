package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
)

// engine implements dialect.Engine.
type engine struct {
	server dialect.Server
	busy   time.Duration // what every connection starts with
	queue  *queue
}

// Wire implements dialect.Engine.
func (e *engine) Wire(driverConn any) dialect.Wire {
	switch c := driverConn.(type) {
	case *conn:
		return c.wire
	case rawConn:
		return &wire{conn: c, queue: e.queue, wait: e.busy, used: true}
	}
	return dialect.PlainWire(driverConn.(driver.Conn))
}

const (
	beginWrite = "BEGIN IMMEDIATE"
	beginRead  = "BEGIN"
	busyPragma = "PRAGMA busy_timeout = "
	readOnly   = "PRAGMA query_only = 1"
	readWrite  = "PRAGMA query_only = 0"
)

// Begin implements dialect.Engine. Any isolation level will do: serializable,
// which every transaction is, satisfies the weaker ones. A read-only
// transaction cannot fail, so Deferrable is satisfied as well.
func (e *engine) Begin(o dialect.TxOptions) (dialect.Control, error) {
	if o.Isolation < sql.LevelDefault || o.Isolation > sql.LevelLinearizable {
		return dialect.Control{}, &dialect.UnsupportedError{Server: e.server, Feature: fmt.Sprintf("isolation level %d", o.Isolation)}
	}
	c := dialect.Control{Begin: beginWrite}
	if o.ReadOnly {
		c = dialect.Control{Begin: beginRead, Inside: []string{readOnly}, Restore: []string{readWrite}}
	}
	return c, nil
}

// LockWait implements dialect.Engine. The one lock there is, the write lock, is
// waited for when the transaction begins; so in one that has begun there is
// nothing left to limit. A limit is rounded up to a millisecond.
func (e *engine) LockWait(d time.Duration) dialect.Control {
	return dialect.Control{
		Before:  []string{busyPragma + milliseconds(max(d, 0))},
		Restore: []string{busyPragma + milliseconds(e.busy)},
	}
}

// Classify implements dialect.Engine.
func (e *engine) Classify(err error) *dialect.Error { return classify(err) }

// Inspect implements dialect.Engine.
func (e *engine) Inspect(query string) dialect.Verdict { return inspect(query) }

// Rebind implements dialect.Engine.
func (e *engine) Rebind(query string) string { return rebind(query) }

// Resolver implements dialect.Engine.
func (e *engine) Resolver() dialect.Resolver { return resolver{} }

// AdvisoryLock implements dialect.AdvisoryLocker. The block has the write lock,
// and with it every name.
func (e *engine) AdvisoryLock(_ string, wait *time.Duration) dialect.Advisory {
	return dialect.Advisory{SQL: "SELECT 1", Wait: wait}
}
