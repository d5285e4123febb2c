package query

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// LockOption says how rows are locked. Without any, the lock is FOR UPDATE on
// the rows of every table in the query, and waits as long as the server lets it.
type LockOption interface {
	apply(*Lock) error
}

type waitOption Waiting

// The options without an argument.
const (
	// SkipLocked leaves out the rows that somebody else has locked.
	SkipLocked = waitOption(WaitSkip)
	// NoWait fails with dialect.ErrLockNotAvailable at the first row that
	// somebody else has locked.
	NoWait = waitOption(WaitNever)
)

func (o waitOption) apply(l *Lock) error { return l.waits(Waiting(o), 0) }

// WaitLimit makes NoWait an option of atomic.AdvisoryLock too. SkipLocked is
// none: there is one lock to be had, and no other to go on to.
func (o waitOption) WaitLimit() (time.Duration, error) {
	if o != NoWait {
		return 0, fmt.Errorf("%w: %s leaves out rows, and here is only the one lock: use NoWait, and match dialect.ErrLockNotAvailable", ErrLockOptions, Waiting(o))
	}
	return 0, nil
}

type strengthOption Strength

// The weaker locks.
const (
	// NoKey locks FOR NO KEY UPDATE: rows of other tables can still come to
	// refer to the locked ones. PostgreSQL only.
	NoKey = strengthOption(ForNoKeyUpdate)
	// Share locks FOR SHARE: others may read and lock FOR SHARE too, but not
	// change the rows.
	Share = strengthOption(ForShare)
	// KeyShare locks FOR KEY SHARE: others may change the rows but neither
	// delete them nor change their keys. PostgreSQL only.
	KeyShare = strengthOption(ForKeyShare)
)

func (o strengthOption) apply(l *Lock) error {
	if l.strong {
		return fmt.Errorf("%s and %s contradict each other", l.Strength, Strength(o))
	}
	l.Strength, l.strong = Strength(o), true
	return nil
}

// A Limit is what [Wait] returns: an option of SelectForUpdate and of
// atomic.AdvisoryLock.
type Limit time.Duration

// Wait waits at most d for each lock, then the statement fails with
// dialect.ErrLockNotAvailable. d is rounded up to what the engine can count in:
// a millisecond on PostgreSQL and SQLite, a second on MySQL and MariaDB. The
// session's own setting is as it was afterwards. Wait(0) is [NoWait].
//
// The limit holds for the whole statement: a query with several clauses gives
// it once. On PostgreSQL it also bounds the wait for locks on tables, and on
// SQLite the wait for the one writer's lock at the beginning of the block.
func Wait(d time.Duration) Limit { return Limit(d) }

func (o Limit) apply(l *Lock) error {
	d, err := o.limit()
	if err != nil {
		return err
	}
	if d == 0 {
		return l.waits(WaitNever, 0)
	}
	return l.waits(WaitLimited, d)
}

// WaitLimit is the limit, or an error that matches [ErrLockOptions] if it is
// negative.
func (o Limit) WaitLimit() (time.Duration, error) {
	d, err := o.limit()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrLockOptions, err)
	}
	return d, nil
}

func (o Limit) limit() (time.Duration, error) {
	if o < 0 {
		return 0, fmt.Errorf("Wait(%s) is negative", time.Duration(o))
	}
	return time.Duration(o), nil
}

type targets []string

// Of locks only the rows of the named tables: "self" for the model itself, and
// relations that the query joins, named like in F ("project"). MariaDB cannot.
func Of(names ...string) LockOption { return targets(slices.Clone(names)) }

func (o targets) apply(l *Lock) error {
	if len(o) == 0 {
		return errors.New("Of names no table")
	}
	for _, name := range o {
		if slices.Contains(l.Of, name) {
			return fmt.Errorf("Of names %q twice", name)
		}
		l.Of = append(l.Of, name)
	}
	return nil
}
