package orm

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/dialect"
)

// LockWaits returns who waits for whom in the database, the longest wait first:
// an empty list if nobody does. Programs that know nothing of Holdfast are in it
// too. It asks on a connection of its own, also when ctx carries a block, and
// changes nothing; one beside the pool if all of the pool's are in use. A
// transaction that was prepared (PREPARE TRANSACTION, XA PREPARE) and whose
// connection is gone has the ConnectionID 0.
//
//   - PostgreSQL: pg_blocking_pids and pg_stat_activity. Without the role
//     pg_monitor (pg_read_all_stats), connections of other users are left out on
//     the waiting side, and on the holding one their statements are not shown.
//   - MySQL: performance_schema (data_locks, data_lock_waits, metadata_locks,
//     threads, events_statements_current, events_transactions_current), which
//     the user must be allowed to SELECT from: GRANT SELECT ON
//     performance_schema.* TO …. Waits for an advisory lock, for a table that is
//     being altered or was locked with LOCK TABLES, and for FLUSH TABLES WITH
//     READ LOCK are in it.
//   - MariaDB: information_schema.INNODB_LOCK_WAITS and its neighbours, for which
//     the user needs the privilege PROCESS: GRANT PROCESS ON *.* TO …. What they
//     show is up to 0.1 s old, and older while somebody else asks more often than
//     that; only waits for rows are in it, and the Age of a holder may be a second
//     too long. Where several connections have shared locks
//     and nothing else, each may be the one that is waited for, and the LockWait
//     is not Certain. Statement and Block of a connection that is idle, as a
//     holder often is, are known only if the server runs with
//     performance_schema=ON and
//     performance_schema_consumer_events_statements_current=ON, and the user may
//     SELECT from performance_schema.
//   - SQLite does not know: dialect.ErrUnsupported. There is one writer, and a
//     list of who waits for it exists nowhere.
//
// A missing privilege is the server's error; ExplainLocks, which asks the same,
// explains nothing then.
func LockWaits(ctx context.Context, db *DB) ([]dialect.LockWait, error) {
	if db == nil {
		return nil, fmt.Errorf("orm: LockWaits: %w", errNoDatabase)
	}
	return db.executor.LockWaits(ctx)
}
