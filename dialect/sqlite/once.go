package sqlite

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// OnceTable creates the table in which atomic.Once keeps its results, for a migration
// tool. orm.CreateTables makes the same of models.Once, but for the index by which
// atomic.PurgeOnce finds what has expired.
const OnceTable = "CREATE TABLE IF NOT EXISTS " + backend.OnceTable + " (" +
	"id BLOB NOT NULL PRIMARY KEY, " +
	"fingerprint BLOB NOT NULL, " +
	"failed BOOLEAN NOT NULL DEFAULT false, " +
	"result BLOB, " +
	"created_at DATETIME NOT NULL, " +
	"expires_at DATETIME, " +
	"UNIQUE (expires_at, id))"

// Once implements backend.Engine.
func (e *engine) Once() backend.OnceTexts {
	texts := onceTexts
	texts.Patience = e.busy
	return texts
}

const (
	insertOnce = "INTO " + backend.OnceTable + " (id, fingerprint, created_at, expires_at) VALUES "
	onceNow    = "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')"
	onceThen   = "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now', (? / 1000000.0) || ' seconds')"
)

// onceTexts: times are texts of this package's own format, whose order is that of the
// times.
var onceTexts = backend.OnceTexts{
	Claim: "INSERT OR IGNORE " + insertOnce + "(?, ?, " + onceNow + ", " + onceThen + ")",
	Late: func(id, fingerprint string, keep time.Duration) string {
		expires := "NULL"
		if keep > 0 {
			expires = fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f000+00:00', 'now', '%f seconds')", keep.Seconds())
		}
		return "INSERT " + insertOnce + "(x'" + id + "', x'" + fingerprint + "', " + onceNow + ", " + expires + ")"
	},
	Read:   "SELECT CASE WHEN expires_at <= " + onceNow + " THEN 1 ELSE 0 END, fingerprint, CASE WHEN failed THEN 1 ELSE 0 END, result FROM " + backend.OnceTable + " WHERE id = ?",
	Again:  "UPDATE " + backend.OnceTable + " SET fingerprint = ?, created_at = " + onceNow + ", result = NULL, failed = FALSE, expires_at = " + onceThen + " WHERE id = ? AND expires_at <= " + onceNow,
	Finish: "UPDATE " + backend.OnceTable + " SET result = ? WHERE id = ?",
	Fail:   "UPDATE " + backend.OnceTable + " SET result = ?, failed = TRUE WHERE id = ?",
	Purge:  "DELETE FROM " + backend.OnceTable + " WHERE id IN (SELECT id FROM " + backend.OnceTable + " WHERE expires_at <= " + onceNow + " ORDER BY expires_at LIMIT ?)",
	Queues: true,
}
