package mysql

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

type engine struct {
	server    dialect.Server
	positions *positions             // nil: it leaves none
	silent    string                 // and why
	group     string                 // the name of its group, which transactions bear
	node      atomic.Pointer[string] // the server that was reached last
}

// Wire implements backend.Engine.
func (e *engine) Wire(driverConn any) backend.Wire {
	if c, ok := driverConn.(*conn); ok {
		return c.wire
	}
	// A connection of the application's pool, if nothing wraps it. Its wire is made
	// afresh whenever it is taken.
	if raw, ok := driverConn.(rawConn); ok {
		if r, ok := repliesOf(raw); ok {
			return &wire{raw: raw, replies: r, apart: true, used: true, uncounted: true, inParts: !e.server.Can(dialect.WholeCommit), session: session{quotes: r.noBackslash()}}
		}
	}
	return plain{backend.PlainWire(driverConn.(driver.Conn)), !e.server.Can(dialect.WholeCommit)}
}

// Inspect implements backend.Engine.
func (e *engine) Inspect(query string) lex.Verdict {
	v := inspect(query)
	// A connection whose session is changed goes to nobody else, so that nothing has to
	// be taken back. Products that only speak the protocol have no procedures.
	if v.Opaque && v.Session && (e.server.Product == "MySQL" || e.server.Product == "MariaDB") {
		v.Hold, v.Unhold = "SET autocommit = 0", "SET autocommit = 1"
	}
	return v
}

// Rebind implements backend.Engine.
func (e *engine) Rebind(query string) string { return rebind(query) }

// Resolver implements backend.Engine.
func (e *engine) Resolver() backend.Resolver { return resolver{e} }

// Begin implements backend.Engine. Timeout and Idle are backstops, a second later than
// the block's own clock: Timeout limits each statement of the block on the server
// (MySQL: each plain SELECT, by max_execution_time; MariaDB: every statement, by
// max_statement_time), and after Idle the server closes the connection (wait_timeout;
// MariaDB: idle_transaction_timeout).
func (e *engine) Begin(o backend.TxOptions) (backend.Control, error) {
	if o.Deferrable {
		return backend.Control{}, e.server.Require(dialect.Deferrable)
	}
	var c backend.Control
	if o.Isolation != sql.LevelDefault {
		level, ok := levels[o.Isolation]
		if !ok {
			return backend.Control{}, &dialect.UnsupportedError{Server: e.server, Feature: "isolation level " + o.Isolation.String()}
		}
		c.Before = []string{"SET TRANSACTION ISOLATION LEVEL " + level}
	}
	c.Begin = "BEGIN"
	switch {
	case o.ReadOnly && o.Isolation == sql.LevelRepeatableRead:
		// Without a snapshot from the start, the first ROLLBACK TO a savepoint
		// that was set before InnoDB was touched would throw the read view away
		// (ha_rollback_to_savepoint in sql/handler.cc), and B22 with it.
		c.Begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
	case o.ReadOnly:
		c.Begin = "START TRANSACTION READ ONLY"
	}
	var set []setting
	if o.Timeout > 0 {
		set = append(set, e.statementTimeout(o.Timeout))
	}
	if o.Idle > 0 {
		set = append(set, e.idleTimeout(o.Idle))
	}
	c.Inside, c.Restore = spell(set)
	return c, nil
}

var levels = map[sql.IsolationLevel]string{
	sql.LevelReadUncommitted: "READ UNCOMMITTED",
	sql.LevelReadCommitted:   "READ COMMITTED",
	sql.LevelRepeatableRead:  "REPEATABLE READ",
	sql.LevelSerializable:    "SERIALIZABLE",
}

// LockWait implements backend.Engine by innodb_lock_wait_timeout for rows, and by
// lock_wait_timeout for tables, whose own default is a year on MySQL and a day on
// MariaDB: without it whoever comes behind an ALTER TABLE that waits for a long
// transaction waits as long as both. They count in seconds: d is rounded up. MySQL
// cannot wait less than one second, so that there 0 means 1 s and NOWAIT belongs into
// the statement, where it is for rows; MariaDB takes 0, and its NOWAIT is for both.
func (e *engine) LockWait(d time.Duration) backend.Control {
	var c backend.Control
	set := []setting{e.rowWait(d)}
	if e.server.Product == "MySQL" || e.server.Product == "MariaDB" { // others have no such locks, or no such variable
		set = append(set, e.tableWait(d))
	}
	c.Inside, c.Restore = spell(set)
	return c
}

// setting is a variable of the session for the time of a block. What it was is
// kept in a user variable, so that nobody has to ask the server for it.
type setting struct {
	variable string
	saved    string
	value    string
	cast     string // the variable's type, because COALESCE of a user variable is a text
}

// spell puts settings into one statement that sets them and one that takes them
// back. A Restore that comes without its Inside, or twice, changes nothing; an
// Inside that comes twice still remembers the first value.
func spell(settings []setting) (inside, restore []string) {
	if len(settings) == 0 {
		return nil, nil
	}
	var set, back []string
	for _, s := range settings {
		variable := "@@SESSION." + s.variable
		kept := fmt.Sprintf("CAST(COALESCE(%s, %s) AS %s)", s.saved, variable, s.cast)
		set = append(set, s.saved+" = "+kept, variable+" = "+s.value)
		back = append(back, variable+" = "+kept, s.saved+" = NULL")
	}
	return []string{"SET " + strings.Join(set, ", ")}, []string{"SET " + strings.Join(back, ", ")}
}

func (e *engine) rowWait(d time.Duration) setting {
	n := min(e.lockSeconds(d), 100_000_000) // MariaDB's maximum; MySQL's is higher
	return setting{"innodb_lock_wait_timeout", "@hf_lock_wait", fmt.Sprint(n), "UNSIGNED"}
}

func (e *engine) tableWait(d time.Duration) setting {
	n := min(e.lockSeconds(d), 31_536_000)
	return setting{"lock_wait_timeout", "@hf_table_wait", fmt.Sprint(n), "UNSIGNED"}
}

// lockSeconds is d as both servers count it.
func (e *engine) lockSeconds(d time.Duration) int64 {
	least := int64(1)
	if e.server.Engine == dialect.MariaDB {
		least = 0
	}
	return max(backend.Units(d, time.Second), least)
}

func (e *engine) statementTimeout(d time.Duration) setting {
	d = backend.Backstop(d)
	if e.server.Engine == dialect.MariaDB {
		s := min(d.Seconds(), 31_536_000)
		return setting{"max_statement_time", "@hf_statement_time", fmt.Sprintf("%.6f", s), "DECIMAL(20,6)"}
	}
	ms := min(backend.Units(d, time.Millisecond), math.MaxUint32)
	return setting{"max_execution_time", "@hf_statement_time", fmt.Sprint(ms), "UNSIGNED"}
}

func (e *engine) idleTimeout(d time.Duration) setting {
	n := min(backend.Units(backend.Backstop(d), time.Second), 31_536_000)
	variable := "wait_timeout"
	if e.server.Can(dialect.IdleTimeout) {
		variable = e.server.Spelling(dialect.IdleTimeout)
	}
	return setting{variable, "@hf_idle", fmt.Sprint(n), "UNSIGNED"}
}
