package backend

import "database/sql/driver"

// ProcessLocker is an Engine with a lock on a name that outlives statements and
// transactions, and ends with its connection.
type ProcessLocker interface {
	// ProcessLock spells the lock. It may fail where nothing can hold one.
	ProcessLock(name string) (ProcessLock, error)
}

// ProcessLock is the taking of a lock on a name, on a connection of its own.
type ProcessLock struct {
	// Connector opens the connection; nil: it is one of the database's own.
	Connector driver.Connector
	// Begin comes before each attempt, End after an attempt that was in vain and to
	// give the lock back.
	Begin []string
	End   string
	// Try takes the lock if nobody has it: one row, one column, true if it is taken.
	// It never waits: a statement that waits has a snapshot on PostgreSQL, for which
	// CREATE INDEX CONCURRENTLY of the lock's holder would wait in turn. "": Begin
	// has taken it, unless it fails with ErrLockNotAvailable.
	Try string
	// Held asks whether the lock is still there, in the same form.
	Held string
	Args []any // of Try and of Held
	// Watch takes the place of Held where no statement can tell. It is called when
	// the lock is had, and returns what says what has become of it.
	Watch func() (lost func() error, err error)
}
