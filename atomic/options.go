package atomic

import (
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Option changes how a block begins, lives and ends. A RetryPolicy is one.
type Option interface{ apply(*options) }

type optionFunc func(*options)

func (f optionFunc) apply(o *options) { f(o) }

type options struct {
	name        string
	propagation PropagationMode
	durable     bool
	noSavepoint bool
	readOnly    bool
	isolation   sql.IsolationLevel
	deferrable  bool
	retry       *RetryPolicy
	timeout     time.Duration
	idle        time.Duration
	lockWait    *time.Duration
	resolve     bool
	explain     bool
	err         error // of the options themselves
}

func collect(opts []Option) *options {
	o := &options{}
	for i, opt := range opts {
		if opt == nil {
			o.reject("option %d is nil", i+1)
			continue
		}
		opt.apply(o)
	}
	return o
}

func (o *options) reject(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf(format, args...)
	}
}

// Name names the block in errors, logs and on the server, at no round trip of its
// own: on PostgreSQL as the application_name of its connection (63 bytes of it),
// on MySQL and MariaDB as a comment before each of its statements. A nested block
// without a name has that of the block around it. SQLite has no place for it.
func Name(name string) Option { return optionFunc(func(o *options) { o.name = name }) }

// Durable says that what the block does must be committed when Do returns nil:
// inside another block of the same database, Do returns ErrDurable at once and
// fn does not run (rule B14). Django's atomic(durable=True) is the model.
func Durable() Option { return optionFunc(func(o *options) { o.durable = true }) }

// NoSavepoint makes a nested block join the enclosing one instead of being a
// savepoint in it: if it fails, the enclosing block can only roll back (rule
// B5). Outside any block it has no effect. Django's atomic(savepoint=False) is
// the model.
func NoSavepoint() Option { return optionFunc(func(o *options) { o.noSavepoint = true }) }

// ReadOnly has the server refuse every write in the block (rule B22): a write
// fails with dialect.ErrReadOnly. Outermost blocks only.
func ReadOnly() Option { return optionFunc(func(o *options) { o.readOnly = true }) }

// Isolation sets the block's isolation level. sql.LevelDefault is the
// database's own default (rule S8). Outermost blocks only; a level that the
// server does not have is dialect.ErrUnsupported at the first statement.
func Isolation(level sql.IsolationLevel) Option {
	return optionFunc(func(o *options) { o.isolation = level })
}

// Deferrable makes the block read-only and serializable, and on PostgreSQL has
// it wait for a snapshot with which it cannot fail (SET TRANSACTION, DEFERRABLE,
// in PostgreSQL's manual). On SQLite no transaction fails for that. On MySQL and
// MariaDB it is dialect.ErrUnsupported at the first statement. Outermost blocks
// only.
func Deferrable() Option {
	return optionFunc(func(o *options) { o.deferrable, o.readOnly = true, true })
}

// Timeout limits the whole block, its retries included. When it runs out, a
// statement in progress is cancelled, the block is rolled back even if fn is
// busy elsewhere, and Do returns an error that matches ErrTimeout and
// context.DeadlineExceeded (rule B19). A nested block's timeout ends that
// block; if a statement was in progress its connection is lost, and with it the
// outer blocks.
func Timeout(d time.Duration) Option {
	return optionFunc(func(o *options) {
		if d <= 0 {
			o.reject("Timeout(%v): must be positive", d)
		}
		o.timeout = d
	})
}

// IdleTimeout rolls the block back and gives its connection to others if it
// sends nothing for d; its next statement, and Do, then return an error that
// matches ErrIdleTimeout (rule B19). Outermost blocks only.
func IdleTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) {
		if d <= 0 {
			o.reject("IdleTimeout(%v): must be positive", d)
		}
		o.idle = d
	})
}

// LockTimeout limits each wait of the block for a lock on the server (rule
// B19). A lock that is not obtained in time is dialect.ErrLockNotAvailable. The
// granularity is the server's: a millisecond on PostgreSQL and SQLite, a second
// (rounded up) on MySQL and MariaDB.
func LockTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) {
		if d < 0 {
			o.reject("LockTimeout(%v): must not be negative", d)
		}
		o.lockWait = &d
	})
}

// ResolveCommit has the block find out what became of its COMMIT if no answer
// came, and Do returns nil if the work was committed, or an error that matches
// dialect.ErrConnectionLost if it was rolled back, which Retry then may repeat.
// If that cannot be found out within the commit timeout, Do returns
// ErrCommitUnknown as it does without the option.
//
// It asks on a new connection beside the pool, so that it need not wait until
// others give theirs back; with a pool of the application's own (From) it must.
//
// On PostgreSQL it asks pg_xact_status for the transaction's id, which costs
// one more round trip before COMMIT. On the other engines a marker row in the
// table holdfast_commits travels with COMMIT and is looked up afterwards; on MySQL
// and MariaDB the table must exist (mysql.CommitsTable), on SQLite it is made when
// it is first needed. Outermost blocks only.
func ResolveCommit() Option { return optionFunc(func(o *options) { o.resolve = true }) }

// HookOption changes how a hook runs.
type HookOption func(*hook)

// Robust has a hook's error or panic logged instead of handed on, so that the
// hooks after it run (rule B16). Django's on_commit(robust=True) is the model.
func Robust() HookOption { return func(h *hook) { h.robust = true } }

// outermostOnly names the options of o that a block inside another one cannot
// honour, or "" (rule B18).
func (o *options) outermostOnly() string {
	return named(
		given{o.readOnly, "ReadOnly"},
		given{o.isolation != sql.LevelDefault, "Isolation"},
		given{o.deferrable, "Deferrable"},
		given{o.retry != nil, "Retry"},
		given{o.idle > 0, "IdleTimeout"},
		given{o.resolve, "ResolveCommit"},
	)
}

// ofABlock names the options of o that mean nothing without a block, or "":
// all but Name and Propagation.
func (o *options) ofABlock() string {
	outermost := o.outermostOnly()
	return named(
		given{outermost != "", outermost},
		given{o.durable, "Durable"},
		given{o.noSavepoint, "NoSavepoint"},
		given{o.timeout > 0, "Timeout"},
		given{o.lockWait != nil, "LockTimeout"},
		given{o.explain, "ExplainLocks"},
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

func (s Settings) logger() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}

func (s Settings) commitTimeout() time.Duration {
	if s.CommitTimeout > 0 {
		return s.CommitTimeout
	}
	return 30 * time.Second
}
