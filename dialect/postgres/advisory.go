package postgres

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// AdvisoryLock implements backend.AdvisoryLocker with the locks that end with
// their transaction (PostgreSQL manual, "Advisory Locks"). The key is a hash of
// the name, in the key space of one bigint, per database. A standby would give the
// lock without asking the primary: there the statement fails instead
// ([engine.Classify] knows it by the function that refuses).
func (e *engine) AdvisoryLock(name string, wait *time.Duration) backend.Advisory {
	a := backend.Advisory{
		SQL:  notOnStandby + "pg_advisory_xact_lock(hashtextextended($1, 0)) IS NOT NULL END",
		Args: []any{name},
		Wait: wait,
		Holder: `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
 AND (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 0)
 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
		HolderArgs: []any{name},
	}
	if wait != nil && *wait == 0 {
		a.SQL, a.Wait = notOnStandby+"pg_try_advisory_xact_lock(hashtextextended($1, 0)) END", nil
	}
	return a
}

const notOnStandby = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_current_wal_lsn() IS NULL ELSE "
