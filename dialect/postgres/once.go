package postgres

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// OnceTable creates the table in which atomic.Once keeps its results, for a migration
// tool. orm.CreateTables makes the same of models.Once, but for the index by which
// atomic.PurgeOnce finds what has expired. The application's role needs
// SELECT, INSERT and UPDATE on it, and DELETE for atomic.PurgeOnce; its search_path has
// to lead to it.
const OnceTable = "CREATE TABLE IF NOT EXISTS " + backend.OnceTable + " (" +
	"id bytea NOT NULL PRIMARY KEY, " +
	"fingerprint bytea NOT NULL, " +
	"failed boolean NOT NULL DEFAULT false, " +
	"result bytea NULL, " +
	"created_at timestamptz NOT NULL, " +
	"expires_at timestamptz NULL, " +
	"UNIQUE (expires_at, id))"

// Once implements backend.Engine.
func (e *engine) Once() backend.OnceTexts { return onceTexts }

const insertOnce = "INSERT INTO " + backend.OnceTable + " (id, fingerprint, created_at, expires_at) VALUES "
const onceExpires = "clock_timestamp() + %s * interval '1 microsecond'"

// synchronous is whether this session's commits wait for a standby (PostgreSQL manual,
// "synchronous_standby_names", "synchronous_commit").
const synchronous = "coalesce(current_setting('synchronous_standby_names', true), '') <> '' AND " +
	"coalesce(current_setting('synchronous_commit', true), '') NOT IN ('off', 'local')"

// onceTexts: ON CONFLICT DO NOTHING waits for a transaction that has the row in progress,
// and fails no transaction where there is one (PostgreSQL manual, "INSERT"); but at
// REPEATABLE READ, where the row is newer than the snapshot, with a serialization
// failure.
var onceTexts = backend.OnceTexts{
	Claim: insertOnce + "($1, $2, clock_timestamp(), " + fmt.Sprintf(onceExpires, "$3::bigint") + ") ON CONFLICT (id) DO NOTHING",
	Late: func(id, fingerprint string, keep time.Duration) string {
		when := "NULL"
		if keep > 0 {
			when = fmt.Sprintf(onceExpires, fmt.Sprint(keep.Microseconds()))
		}
		return insertOnce + "(decode('" + id + "', 'hex'), decode('" + fingerprint + "', 'hex'), clock_timestamp(), " + when + ")"
	},
	Read: "SELECT CASE WHEN expires_at <= clock_timestamp() THEN 1 ELSE 0 END, fingerprint, CASE WHEN failed THEN 1 ELSE 0 END, result, " +
		"CASE WHEN " + synchronous + " THEN 1 ELSE 0 END FROM " + backend.OnceTable + " WHERE id = $1",
	Confirm: confirmation,
	Again: "UPDATE " + backend.OnceTable + " SET fingerprint = $1, created_at = clock_timestamp(), result = NULL, failed = FALSE, " +
		"expires_at = " + fmt.Sprintf(onceExpires, "$2::bigint") + " WHERE id = $3 AND expires_at <= clock_timestamp()",
	Finish: "UPDATE " + backend.OnceTable + " SET result = $1 WHERE id = $2",
	Fail:   "UPDATE " + backend.OnceTable + " SET result = $1, failed = TRUE WHERE id = $2",
	Purge: "DELETE FROM " + backend.OnceTable + " WHERE id IN (SELECT id FROM " + backend.OnceTable +
		" WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)",
}
