package postgres

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

type engine struct {
	server   dialect.Server
	settings settings
	untold   bool   // the server does not say which history of the database it is
	hears    string // client_min_messages of a session
}

// Wire implements backend.Engine.
func (e *engine) Wire(driverConn any) backend.Wire {
	switch c := driverConn.(type) {
	case *stdlib.Conn:
		w := wireOf(c.Conn(), e.settings)
		w.settled()
		return w
	case driver.Conn:
		return &foreignWire{backend.PlainWire(c), e}
	}
	panic(fmt.Sprintf("holdfast: postgres: %T is not a connection of database/sql", driverConn))
}

// Begin implements backend.Engine.
func (e *engine) Begin(o backend.TxOptions) (backend.Control, error) {
	begin := "BEGIN"
	level, readOnly := o.Isolation, o.ReadOnly
	if o.Deferrable {
		if err := e.server.Require(dialect.Deferrable); err != nil {
			return backend.Control{}, err
		}
		if level != sql.LevelDefault && level != sql.LevelSerializable {
			return backend.Control{}, &dialect.UnsupportedError{Server: e.server, Feature: "DEFERRABLE with " + level.String(),
				Hint: "only a serializable read-only transaction can be deferrable"}
		}
		level, readOnly = sql.LevelSerializable, true
	}
	if level != sql.LevelDefault {
		name, ok := levels[level]
		if !ok {
			return backend.Control{}, &dialect.UnsupportedError{Server: e.server, Feature: "isolation level " + level.String()}
		}
		begin += " ISOLATION LEVEL " + name
	}
	if readOnly {
		begin += " READ ONLY"
	}
	if o.Deferrable {
		begin += " DEFERRABLE"
	}
	c := backend.Control{Begin: begin, Transactional: true}
	if !tells(e.hears) { // of a COMMIT that has not waited for its standby
		c.Inside = append(c.Inside, "SET LOCAL client_min_messages = warning")
	}
	if o.Timeout > 0 {
		// A server that can limit a statement only still ends what would otherwise
		// go on without a client.
		limit := "statement_timeout"
		if e.server.Can(dialect.TransactionTimeout) {
			limit = e.server.Spelling(dialect.TransactionTimeout)
		}
		c.Inside = append(c.Inside, setLocal(limit, backend.Backstop(o.Timeout)))
		c.Commit = []string{"SET LOCAL " + limit + " = 0"} // what COMMIT still has to do (deferred triggers) has a limit of its own
	}
	if o.Idle > 0 && e.server.Can(dialect.IdleTimeout) {
		c.Inside = append(c.Inside, setLocal(e.server.Spelling(dialect.IdleTimeout), backend.Backstop(o.Idle)))
	}
	if o.Name != "" {
		c.Inside = append(c.Inside, "SET LOCAL application_name = "+applicationName(o.Name))
	}
	return c, nil
}

// levels spells the isolation levels. A snapshot is what PostgreSQL's
// REPEATABLE READ is.
var levels = map[sql.IsolationLevel]string{
	sql.LevelReadUncommitted: "READ UNCOMMITTED",
	sql.LevelReadCommitted:   "READ COMMITTED",
	sql.LevelRepeatableRead:  "REPEATABLE READ",
	sql.LevelSnapshot:        "REPEATABLE READ",
	sql.LevelSerializable:    "SERIALIZABLE",
}

// LockWait implements backend.Engine. The limit that held before is kept in a
// setting of the transaction's own, which a ROLLBACK TO takes back as it does
// the limit.
func (e *engine) LockWait(d time.Duration) backend.Control {
	return backend.Control{
		Inside: []string{
			"SELECT set_config('holdfast.lock_timeout', current_setting('lock_timeout'), true)",
			setLocal("lock_timeout", d),
		},
		Restore:       []string{"SELECT set_config('lock_timeout', current_setting('holdfast.lock_timeout'), true)"},
		Transactional: true,
	}
}

// setLocal limits something to d. The server counts whole milliseconds, and 0
// would mean no limit.
func setLocal(setting string, d time.Duration) string {
	ms := min(max(backend.Units(d, time.Millisecond), 1), math.MaxInt32)
	return "SET LOCAL " + setting + " = " + strconv.FormatInt(ms, 10)
}

// Rename implements backend.Namer. The session's own name is kept as LockWait
// keeps the limit.
func (e *engine) Rename(from, to string) (statements []string) {
	if to == "" {
		return []string{"SELECT set_config('application_name', current_setting('holdfast.application_name'), true)"}
	}
	if from == "" {
		statements = append(statements, "SELECT set_config('holdfast.application_name', current_setting('application_name'), true)")
	}
	return append(statements, "SET LOCAL application_name = "+applicationName(to))
}

// applicationName is name as the server shows it, quoted: 63 printable ASCII
// characters at most. A backslash is left out, because it depends on a setting
// of the session what it means within quotes.
func applicationName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '\\' {
			return '?'
		}
		return r
	}, name)
	return "'" + strings.ReplaceAll(name[:min(len(name), 63)], "'", "''") + "'"
}

// Inspect implements backend.Engine.
func (e *engine) Inspect(query string) lex.Verdict { return inspect(query) }

// Rebind implements backend.Engine.
func (e *engine) Rebind(query string) string { return rebind(query) }

// Resolver implements backend.Engine.
func (e *engine) Resolver() backend.Resolver { return resolver{e} }
