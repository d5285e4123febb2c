package orm

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// LockOption says how SelectForUpdate locks. Without any, the lock is FOR UPDATE
// on the rows of every table in the query, and waits as long as the server lets
// it. What a server cannot do is refused before anything is sent, with
// dialect.ErrUnsupported (rule L3).
type LockOption interface {
	apply(*lockClause) error
}

// The options that say what happens at a row that somebody else has locked;
// [Wait] is another.
const (
	// SkipLocked leaves out the rows that somebody else has locked: each of
	// several workers gets rows of its own.
	//
	// MySQL 8.0.1 and MariaDB 10.6 lock all rows that they read on the way:
	// without an index that serves the condition and the OrderBy, the first
	// worker locks every row that matches, and the next one finds none.
	//
	// PostgreSQL now and then waits all the same where the workers update the rows
	// that they take, for a newer version of a row that has just been taken by
	// somebody else; it waits for nobody where they delete them.
	//
	// On SQLite nobody else can hold a lock: a block waits for the lock to write
	// when it begins, for the busy timeout at most, so claim in one block and do
	// long work after it.
	//
	// It is about rows: a table that somebody alters is waited for, as long as
	// atomic.LockTimeout allows.
	SkipLocked = waitOption(ast.WaitSkip)
	// NoWait fails with dialect.ErrLockNotAvailable at the first row that
	// somebody else has locked. It is also an option of atomic.AdvisoryLock.
	//
	// A table that somebody alters is waited for on MySQL and PostgreSQL, as long as
	// atomic.LockTimeout allows; MariaDB does not wait for that either.
	NoWait = waitOption(ast.WaitNever)
)

// The weaker locks.
const (
	// NoKey locks FOR NO KEY UPDATE: other tables' rows may still come to refer
	// to the locked ones. PostgreSQL only.
	NoKey = strengthOption(ast.ForNoKeyUpdate)
	// Share locks FOR SHARE: others may read and share the lock, but not
	// change the rows.
	Share = strengthOption(ast.ForShare)
	// KeyShare locks FOR KEY SHARE: others may change the rows, but neither
	// delete them nor change their keys. PostgreSQL only.
	KeyShare = strengthOption(ast.ForKeyShare)
)

// Wait waits at most d for each lock, and then fails with
// dialect.ErrLockNotAvailable. d is rounded up to a millisecond on PostgreSQL
// and SQLite, to a second on MySQL and MariaDB; MySQL, and MariaDB before 10.6,
// look only once a second whether it has run out. The session's setting is as it
// was afterwards. Wait(0) is NoWait. The limit holds for the statement as a
// whole: a query with several clauses gives it once. It bounds the wait for locks on
// tables too; on SQLite it is that for the one writer's lock at the beginning of the
// block.
//
// Like NoWait it is also an option of atomic.AdvisoryLock.
func Wait(d time.Duration) WaitLimit { return WaitLimit(d) }

// WaitLimit is what [Wait] returns: an option of SelectForUpdate and of
// atomic.AdvisoryLock.
type WaitLimit time.Duration

// Of locks only rows of the named tables: "self" for the model's own, and
// relations that the query joins, named like in query.F ("project"). MySQL,
// PostgreSQL; accepted on SQLite.
func Of(names ...string) LockOption { return targets(slices.Clone(names)) }

// lockClause is a lock clause while its options are read.
type lockClause struct {
	ast.Lock
	strong bool // Strength was given
}

// newLock reads options, and returns an error matching [ErrLockOptions] if they
// contradict each other (rule L1).
func newLock(opts []LockOption) (*ast.Lock, error) {
	c := &lockClause{}
	for _, o := range opts {
		if o == nil {
			return nil, fmt.Errorf("%w: an option is nil", ErrLockOptions)
		}
		if err := o.apply(c); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLockOptions, err)
		}
	}
	return &c.Lock, nil
}

func (c *lockClause) waits(w ast.Waiting, d time.Duration) error {
	if c.Waiting != ast.WaitForever && (c.Waiting != w || c.Wait != d) {
		return fmt.Errorf("%s and %s contradict each other", c.Waiting, w)
	}
	c.Waiting, c.Wait = w, d
	return nil
}

type waitOption ast.Waiting

func (o waitOption) apply(c *lockClause) error { return c.waits(ast.Waiting(o), 0) }

// WaitLimit makes NoWait an option of atomic.AdvisoryLock too. SkipLocked is
// none: there is one lock to be had, and no other to go on to.
func (o waitOption) WaitLimit() (time.Duration, error) {
	if o != NoWait {
		return 0, fmt.Errorf("%w: %s leaves out rows, and here is only the one lock: use NoWait, and match dialect.ErrLockNotAvailable",
			ErrLockOptions, ast.Waiting(o))
	}
	return 0, nil
}

type strengthOption ast.Strength

func (o strengthOption) apply(c *lockClause) error {
	if c.strong {
		return fmt.Errorf("%s and %s contradict each other", c.Strength, ast.Strength(o))
	}
	c.Strength, c.strong = ast.Strength(o), true
	return nil
}

func (o WaitLimit) apply(c *lockClause) error {
	d, err := o.limit()
	if err != nil {
		return err
	}
	if d == 0 {
		return c.waits(ast.WaitNever, 0)
	}
	return c.waits(ast.WaitLimited, d)
}

// WaitLimit is the limit, or an error that matches [ErrLockOptions] if it is
// negative.
func (o WaitLimit) WaitLimit() (time.Duration, error) {
	d, err := o.limit()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrLockOptions, err)
	}
	return d, nil
}

func (o WaitLimit) limit() (time.Duration, error) {
	if o < 0 {
		return 0, fmt.Errorf("Wait(%s) is negative", time.Duration(o))
	}
	return time.Duration(o), nil
}

type targets []string

func (o targets) apply(c *lockClause) error {
	if len(o) == 0 {
		return errors.New("Of names no table")
	}
	for _, name := range o {
		if slices.Contains(c.Of, name) {
			return fmt.Errorf("Of names %q twice", name)
		}
		c.Of = append(c.Of, name)
	}
	return nil
}
