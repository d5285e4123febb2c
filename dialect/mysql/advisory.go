package mysql

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// AdvisoryLock implements backend.AdvisoryLocker with GET_LOCK (MySQL manual,
// "Locking Functions"). Such a lock belongs to the session, not to the
// transaction, so that it has to be released after the transaction's end. Its
// name is the server's, not the database's, and case-insensitive: a hash with
// the database's name in it makes it behave as it does on PostgreSQL.
//
// The limit counts in whole seconds, rounded up.
func (e *engine) AdvisoryLock(name string, wait *time.Duration) backend.Advisory {
	const forever = 365 * 24 * 60 * 60 // MariaDB has no value for it
	// Without a limit it is that of rows: the server finds a cycle among those who wait
	// for rows, but none that leads over such a lock.
	limit, args := "@@innodb_lock_wait_timeout", []any(nil)
	if wait != nil {
		limit, args = "?", []any{min(backend.Units(*wait, time.Second), forever)}
	}
	sum := sha256.Sum256([]byte(name))
	key := hex.EncodeToString(sum[:])
	const lock = "CONCAT('hf:', LEFT(SHA2(CONCAT(COALESCE(DATABASE(), ''), ':', ?), 256), 60))"
	return backend.Advisory{
		SQL:        "SELECT GET_LOCK(" + lock + ", " + limit + ")",
		Args:       append([]any{key}, args...),
		Holder:     "SELECT IS_USED_LOCK(" + lock + ")",
		HolderArgs: []any{key},
		// Locks that a caller took with GET_LOCK stay, unless a USE has made the
		// name of this one unknown.
		Release: "DO IF(COALESCE(RELEASE_LOCK(" + strings.Replace(lock, "?", "'"+key+"'", 1) + "), 0), 0, RELEASE_ALL_LOCKS())",
	}
}
