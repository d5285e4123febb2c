package atomic

import (
	"context"
	"time"
)

// WaitOption limits the wait for a lock: orm.NoWait and orm.Wait(d) are such.
type WaitOption interface {
	// WaitLimit is the longest wait; 0 means not to wait at all.
	WaitLimit() (time.Duration, error)
}

// AdvisoryLock takes a lock on a name, for work that has no row to lock. It is
// held to the end of the block at least, and to the end of the outermost block
// at most: PostgreSQL gives it back with a savepoint that is rolled back to, a
// nested block's or one set by hand. It is given back on every way out. Taking it twice in one
// transaction is granted.
//
// Without an option it waits as long as a LockTimeout of the block, else the
// server, lets it wait for a row: 50 s on MySQL and MariaDB (innodb_lock_wait_timeout),
// where nobody finds a cycle of such a lock and a row's, and on PostgreSQL without end,
// which finds it. A lock that is not obtained is dialect.ErrLockNotAvailable,
// which marks the block like any failed statement (rule B6): to go on without
// the lock, take it in a nested block.
//
// PostgreSQL: pg_advisory_xact_lock, on a 64-bit hash of the name. MySQL and
// MariaDB: GET_LOCK, with limits of whole seconds (rounded up) and one round
// trip more at the end of the block. SQLite: the write lock that the block holds
// anyway. A server without such locks is dialect.ErrUnsupported (rule L3), no
// block is ErrNotInBlock, a ReadOnly one dialect.ErrReadOnly, and options that
// contradict each other are ErrOption; nothing is sent then.
func AdvisoryLock(ctx context.Context, db DB, name string, opts ...WaitOption) error {
	var limit *time.Duration
	for _, o := range opts {
		if o == nil {
			return executor(db).AdvisoryLock(ctx, name, nil, "an option of AdvisoryLock is nil")
		}
		wait, err := o.WaitLimit()
		if err != nil {
			return err
		}
		if limit != nil && wait != *limit {
			return executor(db).AdvisoryLock(ctx, name, nil, "the options of AdvisoryLock contradict each other")
		}
		limit = &wait
	}
	return executor(db).AdvisoryLock(ctx, name, limit, "")
}
