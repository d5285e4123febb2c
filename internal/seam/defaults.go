package seam

import (
	"cmp"
	"database/sql"
	"fmt"
	"time"
)

// NoDefault names the options of o that say what one block is, and so cannot be what
// every block has, or "".
func (o *Options) NoDefault() string {
	return named(
		given{o.Name != "", "Name"},
		given{o.Propagation != 0, "Propagation"},
		given{o.Durable, "Durable"},
		given{o.NoSavepoint, "NoSavepoint"},
		given{o.Deferrable, "Deferrable"},
		given{o.ReadOnly && !o.Deferrable, "ReadOnly"},
		given{o.NoDefaults, "NoDefaults"},
	)
}

// Complete gives o what d says and o does not (rule B18): o is of an outermost block.
func (o *Options) Complete(d *Options) {
	if o.NoDefaults {
		return
	}
	o.onConnection(d)
	o.Idle = cmp.Or(o.Idle, d.Idle)
	o.Resolve = o.Resolve || d.Resolve
	if o.ByHand { // its ctx is the caller's, and nobody could run it again
		return
	}
	o.Timeout = cmp.Or(o.Timeout, d.Timeout)
	if o.Retry == nil {
		o.Retry = d.Retry
	}
}

// OfSession is what o says of the transactions of a session, which end when their
// owner says so.
func (o *Options) OfSession(name string) *Options {
	session := &Options{Name: name}
	session.onConnection(o)
	return session
}

func (o *Options) onConnection(d *Options) {
	o.Isolation = cmp.Or(o.Isolation, d.Isolation)
	o.Explain = o.Explain || d.Explain
	if o.LockWait == nil {
		o.LockWait = d.LockWait
	}
}

// String names the options that are in force, as a caller writes them.
func (o *Options) String() string {
	if o == nil {
		return ""
	}
	return named(
		given{o.Isolation != sql.LevelDefault, "Isolation(" + o.Isolation.String() + ")"},
		given{o.ReadOnly, "ReadOnly"},
		given{o.Deferrable, "Deferrable"},
		given{o.Retry != nil, o.Retry.String()},
		given{o.Timeout > 0, call("Timeout", o.Timeout)},
		given{o.Idle > 0, call("IdleTimeout", o.Idle)},
		given{o.LockWait != nil, limit(o.LockWait)},
		given{o.Resolve, "ResolveCommit"},
		given{o.Explain, "ExplainLocks"},
	)
}

// String is "Retry(3)".
func (r *Retry) String() string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("Retry(%d)", r.Max)
}

func limit(d *time.Duration) string {
	if d == nil {
		return ""
	}
	return call("LockTimeout", *d)
}

func call(name string, d time.Duration) string { return name + "(" + d.String() + ")" }
