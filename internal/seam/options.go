package seam

import (
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Options are what a caller wants of a block. Package atomic documents each.
type Options struct {
	Name        string
	Propagation uint8 // an atomic.PropagationMode
	Durable     bool
	NoSavepoint bool
	ReadOnly    bool
	Isolation   sql.IsolationLevel
	Deferrable  bool
	Retry       *Retry
	Timeout     time.Duration
	Idle        time.Duration
	LockWait    *time.Duration
	Resolve     bool
	Explain     bool
	NoDefaults  bool
	ByHand      bool         // BeginTx of database/sql
	Over        func() error // why that has ended by itself; nil: it cannot
	Once        *Once        // what only atomic.Once can honour; nil: nothing
	Err         error        // of the options themselves: the first one counts
}

// Retry is an atomic.RetryPolicy.
type Retry struct {
	Max        int
	Base, Cap  time.Duration
	Locks      bool
	Connection bool
}

// Again reports whether there may be another attempt. A policy without any is how one
// block has none where the database's default is another.
func (r *Retry) Again() bool { return r != nil && r.Max > 0 }

// Reject notes what is wrong with the options.
func (o *Options) Reject(format string, args ...any) {
	if o.Err == nil {
		o.Err = fmt.Errorf(format, args...)
	}
}

// OutermostOnly names the options of o that a block inside another one cannot
// honour, or "" (rule B18).
func (o *Options) OutermostOnly() string {
	return named(
		given{o.ReadOnly, "ReadOnly"},
		given{o.Isolation != sql.LevelDefault, "Isolation"},
		given{o.Deferrable, "Deferrable"},
		given{o.Retry.Again(), "Retry"},
		given{o.Idle > 0, "IdleTimeout"},
		given{o.Resolve, "ResolveCommit"},
	)
}

// OfABlock names the options of o that mean nothing without a block, or "":
// all but Name and Propagation.
func (o *Options) OfABlock() string {
	outermost := o.OutermostOnly()
	return named(
		given{outermost != "", outermost},
		given{o.Durable, "Durable"},
		given{o.NoSavepoint, "NoSavepoint"},
		given{o.Timeout > 0, "Timeout"},
		given{o.LockWait != nil, "LockTimeout"},
		given{o.Explain, "ExplainLocks"},
		given{o.NoDefaults, "NoDefaults"},
	)
}

// given is an option, and whether a caller gave it.
type given struct {
	is   bool
	name string
}

func named(options ...given) string {
	var names []string
	for _, o := range options {
		if o.is {
			names = append(names, o.name)
		}
	}
	return strings.Join(names, ", ")
}
