package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"regexp"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// lockWaits follows pg_blocking_pids (PostgreSQL manual, "System Information
// Functions"). A connection that waits for a row waits for the transaction that
// has it, which tells no table; it holds the lock on the tuple meanwhile, which
// does. A prepared transaction has the pid 0.
const (
	lockWaits = `
SELECT w.pid, (extract(epoch FROM clock_timestamp() - w.query_start) * 1000)::bigint, w.query, w.application_name,
       b.pid, (extract(epoch FROM clock_timestamp() - h.xact_start) * 1000)::bigint, h.query, h.application_name,
       (SELECT c.relname FROM pg_locks l LEFT JOIN pg_index i ON i.indexrelid = l.relation JOIN pg_class c ON c.oid = COALESCE(i.indrelid, l.relation)
        WHERE l.pid = w.pid AND (l.locktype = 'tuple' AND l.mode <> 'SIReadLock' OR NOT l.granted) AND l.database = w.datid
        ORDER BY l.granted LIMIT 1)
FROM pg_stat_activity w
CROSS JOIN LATERAL (SELECT DISTINCT unnest(pg_blocking_pids(w.pid))) AS b (pid)
LEFT JOIN pg_stat_activity h ON h.pid = b.pid
WHERE w.wait_event_type = 'Lock' AND w.datname = current_database()
ORDER BY 2 DESC, 1, 5`

	lockParties = `
SELECT pid, (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint, query, application_name
FROM pg_stat_activity WHERE pid = ANY ($1::bigint[]) ORDER BY 2 DESC NULLS LAST, 1`

	// lockCandidates are those who have locked rows, or all, of a table.
	lockCandidates = `
SELECT DISTINCT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.granted AND l.pid <> $1 AND c.relname = $2 AND l.mode <> 'AccessShareLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LIMIT 10`
)

var lockReader = backend.LockReader{
	Syntax: lex.PostgresSyntax,
	Block:  func(applicationName string) string { return applicationName },
}

// LockWaits implements backend.LockWatcher.
func (e *engine) LockWaits(ctx context.Context, w backend.Wire) (waits []dialect.LockWait, err error) {
	err = backend.QueryRows(ctx, w, lockWaits, nil, func(row []driver.Value) error {
		waits = append(waits, lockReader.Wait(row))
		return nil
	})
	return waits, err
}

// LockParties implements backend.LockWatcher.
func (e *engine) LockParties(ctx context.Context, w backend.Wire, ids []int64) (parties []dialect.LockParty, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = backend.QueryRows(ctx, w, lockParties, []any{ids}, func(row []driver.Value) error {
		parties = append(parties, lockReader.Party(row))
		return nil
	})
	return parties, err
}

var (
	// blocker finds the others in the detail of a deadlock ("Process 7 waits
	// for ShareLock on transaction 9; blocked by process 8.").
	blocker = regexp.MustCompile(`(?i)process (\d+)`)
	// relation finds the table in the message of a lock that was not to be had
	// at once, in whatever quotes the server's language has.
	relation = regexp.MustCompile(`["«„“](.+)["»“”]`)
)

// LockHolders implements backend.LockWatcher.
func (e *engine) LockHolders(ctx context.Context, w backend.Wire, self int64, err error) (holders []dialect.LockParty, certain bool, _ error) {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return nil, false, nil
	}
	var ids []int64
	switch said.Code {
	case "40P01":
		certain = true
		for _, m := range blocker.FindAllStringSubmatch(said.Detail, -1) {
			if id, _ := strconv.ParseInt(m[1], 10, 64); id != self {
				ids = append(ids, id)
			}
		}
	case "55P03":
		named := relation.FindStringSubmatch(said.Message)
		if named == nil {
			return nil, false, nil // a limit on waiting, which says nothing of what for
		}
		if ids, err = backend.QueryIntegers(ctx, w, lockCandidates, []any{self, named[1]}); err != nil {
			return nil, false, err
		}
	}
	holders, err = e.LockParties(ctx, w, ids)
	return holders, certain, err
}

// ConnectionID implements backend.LockWatcher.
func (e *engine) ConnectionID(ctx context.Context, w backend.Wire) (id int64, err error) {
	err = backend.QueryRows(ctx, w, "SELECT pg_backend_pid()", nil, func(row []driver.Value) error {
		id = backend.Integer(row[0])
		return nil
	})
	return id, err
}
