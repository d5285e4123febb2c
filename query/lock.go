package query

import (
	"errors"
	"fmt"
	"time"
)

// ErrLockOptions is matched by the error for lock options that contradict each
// other (rule L1) or a query in which rows cannot be locked (rule L6). Nothing
// was sent.
var ErrLockOptions = errors.New("lock options")

// Lock is one lock clause.
type Lock struct {
	Strength Strength
	Waiting  Waiting
	Wait     time.Duration
	Of       []string // "self" and paths of relations; empty: every table

	strong bool // Strength was given
}

// NewLock reads options, and returns an error matching [ErrLockOptions] if they
// contradict each other.
func NewLock(opts ...LockOption) (*Lock, error) {
	l := &Lock{}
	for _, o := range opts {
		if o == nil {
			return nil, fmt.Errorf("%w: an option is nil", ErrLockOptions)
		}
		if err := o.apply(l); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLockOptions, err)
		}
	}
	return l, nil
}

func (l *Lock) waits(w Waiting, d time.Duration) error {
	if l.Waiting != WaitForever && (l.Waiting != w || l.Wait != d) {
		return fmt.Errorf("%s and %s contradict each other", l.Waiting, w)
	}
	l.Waiting, l.Wait = w, d
	return nil
}

// Strength is how strong a row lock is.
type Strength uint8

// The strengths, the strongest first.
const (
	ForUpdate Strength = iota
	ForNoKeyUpdate
	ForShare
	ForKeyShare
)

func (s Strength) String() string {
	return [...]string{"FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE"}[s]
}

// Waiting is what happens at a row that somebody else has locked.
type Waiting uint8

// The ways of waiting.
const (
	WaitForever Waiting = iota // as long as the server's setting lets it
	WaitLimited                // as long as Lock.Wait
	WaitNever                  // NOWAIT
	WaitSkip                   // SKIP LOCKED
)

func (w Waiting) String() string {
	return [...]string{"waiting", "Wait", "NoWait", "SkipLocked"}[w]
}

// CheckLocks reports what several clauses cannot say together (rule L5).
func CheckLocks(locks []*Lock) error {
	if len(locks) < 2 {
		return nil
	}
	named := map[string]bool{}
	var wait time.Duration
	for _, l := range locks {
		if len(l.Of) == 0 {
			return fmt.Errorf("%w: with AlsoLock every clause needs an Of, so that each table has one", ErrLockOptions)
		}
		for _, name := range l.Of {
			if named[name] {
				return fmt.Errorf("%w: %q is locked by two clauses", ErrLockOptions, name)
			}
			named[name] = true
		}
		if l.Waiting == WaitLimited {
			if wait != 0 && wait != l.Wait {
				return fmt.Errorf("%w: Wait(%s) and Wait(%s): the limit holds for the whole statement", ErrLockOptions, wait, l.Wait)
			}
			wait = l.Wait
		}
	}
	return nil
}
