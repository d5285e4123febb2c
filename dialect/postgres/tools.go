package postgres

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// toolConnector opens pgx's own connections, with the settings that connector has
// given config. They remember no statement, so that none is stale after DDL.
func toolConnector(config *pgx.ConnConfig) driver.Connector {
	return stdlib.GetConnector(*config,
		stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
}

// ProcessLock implements backend.ProcessLocker with an advisory lock of a transaction
// that stays open (rule M2): a pooler that hands the server's connections around
// between transactions lets it alone, as it would not the lock of a session. It
// has no snapshot between its statements, so that it holds up neither VACUUM nor
// CREATE INDEX CONCURRENTLY, and no time limit of the server's ends it. A standby
// would give the lock without asking the primary.
func (e *engine) ProcessLock(name string) (backend.ProcessLock, error) {
	return backend.ProcessLock{
		Begin: []string{
			"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
			"SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout', 'statement_timeout')",
		},
		Try: notOnStandby + "pg_try_advisory_xact_lock(hashtextextended('holdfast: ' || $1, 0)) END",
		Held: `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid = pg_backend_pid()
 AND (classid::bigint << 32 | objid::bigint) = hashtextextended('holdfast: ' || $1, 0)
 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`,
		Args: []any{name},
		End:  "ROLLBACK",
	}, nil
}
