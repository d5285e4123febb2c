package backend

import "time"

// AdvisoryLocker is an Engine with locks on names, for what has no row.
type AdvisoryLocker interface {
	// AdvisoryLock spells taking the lock. It waits within wait: 0 means not at
	// all, nil as long as the server lets it wait for a row.
	AdvisoryLock(name string, wait *time.Duration) Advisory
}

// Advisory is the taking of a lock on a name.
type Advisory struct {
	// SQL returns one row with one column: 0 or false if the lock was not
	// obtained, anything else if it was. It may also fail with
	// ErrLockNotAvailable.
	SQL  string
	Args []any
	// Wait is the limit that has to be set around the statement; nil: none.
	Wait *time.Duration
	// Holder returns the id of the connection that has the lock, or no row, or
	// NULL. "" if nobody knows.
	Holder     string
	HolderArgs []any
	// Release gives the lock back, after the end of the transaction: once for
	// each time that it was obtained. "" if the server does that by itself.
	Release string
}
