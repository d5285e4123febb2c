package mysql

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// OnceTable creates the table in which atomic.Once keeps its results, for a migration
// tool. orm.CreateTables makes the same of models.Once, but for the index by which
// atomic.PurgeOnce finds what has expired. The application's user needs
// SELECT, INSERT and UPDATE on it, and DELETE for atomic.PurgeOnce.
const OnceTable = "CREATE TABLE IF NOT EXISTS " + backend.OnceTable + " (" +
	"id VARBINARY(255) NOT NULL PRIMARY KEY, " +
	"fingerprint LONGBLOB NOT NULL, " +
	"failed BOOLEAN NOT NULL DEFAULT false, " +
	"result LONGBLOB NULL, " +
	"created_at DATETIME(6) NOT NULL, " +
	"expires_at DATETIME(6) NULL, " +
	"KEY " + backend.OnceTable + "_expires_at (expires_at)" +
	") ENGINE=InnoDB"

// Once implements backend.Engine.
func (e *engine) Once() backend.OnceTexts { return onceTexts }

const insertOnce = "INTO " + backend.OnceTable + " (id, fingerprint, created_at, expires_at) VALUES "

// onceTexts: IGNORE makes nothing of a row that is there, after it has waited for who has
// it locked; a plain INSERT would say so by an error, which a transaction around it
// could not tell from one of its own. A plain SELECT could miss the row: it shows the
// transaction's snapshot, which may be older.
var onceTexts = backend.OnceTexts{
	Claim: "INSERT IGNORE " + insertOnce + "(?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)",
	Late: func(id, fingerprint string, keep time.Duration) string {
		expires := "NULL"
		if keep > 0 {
			expires = fmt.Sprintf("UTC_TIMESTAMP(6) + INTERVAL %d MICROSECOND", keep.Microseconds())
		}
		return "INSERT " + insertOnce + "(x'" + id + "', x'" + fingerprint + "', UTC_TIMESTAMP(6), " + expires + ")"
	},
	Read: "SELECT CASE WHEN expires_at <= UTC_TIMESTAMP(6) THEN 1 ELSE 0 END, fingerprint, CASE WHEN failed THEN 1 ELSE 0 END, result FROM " +
		backend.OnceTable + " WHERE id = ? LOCK IN SHARE MODE",
	Again: "UPDATE " + backend.OnceTable + " SET fingerprint = ?, created_at = UTC_TIMESTAMP(6), result = NULL, failed = FALSE, " +
		"expires_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE id = ? AND expires_at <= UTC_TIMESTAMP(6)",
	// InnoDB locks gaps between rows as well, and MariaDB would not wait for those either.
	Patience: time.Second,
	Finish:   "UPDATE " + backend.OnceTable + " SET result = ? WHERE id = ?",
	Fail:     "UPDATE " + backend.OnceTable + " SET result = ?, failed = TRUE WHERE id = ?",
	Purge:    "DELETE FROM " + backend.OnceTable + " WHERE expires_at <= UTC_TIMESTAMP(6) ORDER BY expires_at LIMIT ?",
}
