package render

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// ErrLockOptions is orm.ErrLockOptions.
var ErrLockOptions = errors.New("lock options")

// CheckLocks reports what several clauses cannot say together (rule L5).
func CheckLocks(locks []*ast.Lock) error {
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
		if l.Waiting == ast.WaitLimited {
			if wait != 0 && wait != l.Wait {
				return fmt.Errorf("%w: Wait(%s) and Wait(%s): the limit holds for the whole statement", ErrLockOptions, wait, l.Wait)
			}
			wait = l.Wait
		}
	}
	return nil
}
