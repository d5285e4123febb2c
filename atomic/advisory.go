package atomic

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
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
// server, lets it. A lock that is not obtained is dialect.ErrLockNotAvailable,
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
	g := db.Gate()
	b, err := g.scope(ctx).enclosing()
	switch {
	case err != nil:
		return err
	case b == nil:
		return &BlockError{Kind: ErrNotInBlock, Reason: "an advisory lock is held to the end of a block; take it inside atomic.Do"}
	}
	if err := g.db.Server.Require(dialect.AdvisoryLock); err != nil {
		return err
	}
	locker, ok := g.db.Engine.(backend.AdvisoryLocker)
	if !ok {
		return &dialect.UnsupportedError{Server: g.db.Server, Feature: dialect.AdvisoryLock.String()}
	}
	wait := b.lockWait()
	for i, o := range opts {
		if o == nil {
			return &BlockError{Block: b.info(), Kind: ErrOption, Reason: "an option of AdvisoryLock is nil"}
		}
		limit, err := o.WaitLimit()
		if err != nil {
			return err
		}
		if i > 0 && limit != *wait {
			return &BlockError{Block: b.info(), Kind: ErrOption, Reason: "the options of AdvisoryLock contradict each other"}
		}
		wait = &limit
	}
	lock := locker.AdvisoryLock(name, wait)
	st := Statement{SQL: lock.SQL, Args: lock.Args, Built: true, Locks: true, Wait: lock.Wait, holder: holderOf(lock)}
	return b.tx.run(ctx, b, st, func(w backend.Wire, prefix []string, query string) (bool, error) {
		rows, err := w.Query(ctx, prefix, query, st.Args)
		if err != nil {
			return true, err
		}
		obtained, err := readFlag(rows)
		if lock.Release != "" && obtained {
			b.tx.afterwards = append(b.tx.afterwards, lock.Release)
		}
		if err == nil && !obtained {
			err = &dialect.Error{Engine: g.db.Server.Engine, Kind: dialect.ErrLockNotAvailable, Message: fmt.Sprintf("advisory lock %q", name)}
		}
		return false, err
	})
}

// errNoFlag: MariaDB's GET_LOCK that is interrupted returns NULL.
var errNoFlag = errors.New("the server does not say whether the lock was obtained: the statement was interrupted")

// readFlag reads one row with one column.
func readFlag(rows driver.Rows) (flag bool, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 1)
	switch err := rows.Next(row); err {
	case nil:
	case io.EOF:
		return false, nil
	default:
		return false, err
	}
	switch v := row[0].(type) {
	case nil:
		return false, errNoFlag
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case []byte:
		return string(v) == "1", nil
	case string:
		return v == "1", nil
	}
	return false, nil
}
