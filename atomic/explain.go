package atomic

import (
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/lex"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// ExplainLocks has an error that matches dialect.ErrLockNotAvailable or
// dialect.ErrDeadlock say who held the lock, and so that of a statement that
// waited for one when its ctx ended: a *LockHeldError is then in its chain. It is
// an option of any block, and of those nested in it.
//
// While a statement of the block has been waiting for more than some tens of
// milliseconds, the server is asked on another connection of the pool whom it
// waits for, and again every quarter of a second; after a deadlock the server's
// own report is read. Where a lock was not to be had at once (NoWait) nobody has
// waited, and the server only tells who has locked rows of that table
// (PostgreSQL, MySQL) or of that database (MariaDB): LockHeldError.Certain is
// false then. It is also false where the statement may have gone on to wait for
// another lock since the server was asked: always on MariaDB, whose view is older
// the more often it is asked for, and which may not know either who of several has
// a shared lock (dialect.LockWait).
//
// The outcome of the block is the same with and without it. If the server
// cannot be asked (no connection is free, or the user may not, see
// orm.LockWaits) the error stays as it is. The end of a statement may be
// delayed by a question in progress, a quarter of a second at most, and the
// error by one second. SQLite does not know who has its lock, and of what a
// replica's sessions wait for nobody is asked: there the option has no effect.
func ExplainLocks() Option { return optionFunc(func(o *seam.Options) { o.Explain = true }) }

// Holder is somebody who held a lock.
type Holder struct {
	dialect.LockParty
	// Table is the one that the lock is on; "" if the server does not tell.
	Table string
	// Waits is true if the holder was itself waiting, for another one of the
	// list.
	Waits bool
}

// LockHeldError is in the chain of an error of a block with ExplainLocks, around
// the *dialect.Error.
type LockHeldError struct {
	// Holders are those who had the lock, then those who these waited for.
	Holders []Holder
	// Certain is true if the server named the holders of this very lock. If it is
	// false it named those who have such locks, or who the statement was seen to
	// wait for a moment before: it may be any of them, or somebody else.
	Certain bool
	Err     error
}

// Error names the first of the holders.
func (e *LockHeldError) Error() string {
	var sb strings.Builder
	sb.WriteString(e.Err.Error())
	sb.WriteString(": held by ")
	if !e.Certain {
		sb.WriteString("somebody, perhaps ")
	}
	const most = 3
	for i, h := range e.Holders[:min(len(e.Holders), most)] {
		if i > 0 {
			sb.WriteString(", ")
		}
		sb.WriteString(h.describe())
	}
	if more := len(e.Holders) - most; more > 0 {
		fmt.Fprintf(&sb, " and %d more", more)
	}
	return sb.String()
}

// Unwrap returns the server's error.
func (e *LockHeldError) Unwrap() error { return e.Err }

func (h Holder) describe() string {
	s := fmt.Sprintf("connection %d", h.ConnectionID)
	if h.ConnectionID == 0 {
		s = "a prepared transaction"
	}
	if h.Block != "" {
		s = fmt.Sprintf("block %q (%s)", h.Block, s)
	}
	if h.Age > 0 {
		s += " in its transaction for " + h.Age.Round(time.Millisecond).String()
	}
	if h.Statement != "" {
		s += ": " + lex.Abbreviate(h.Statement)
	}
	return s
}
