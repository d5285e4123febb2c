package atomic

import (
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// Option changes how a block begins, lives and ends. A RetryPolicy is one.
type Option interface{ apply(*seam.Options) }

type optionFunc func(*seam.Options)

func (f optionFunc) apply(o *seam.Options) { f(o) }

// Collect reads options. It is for the library's own packages, a seam without
// promises.
func Collect(opts []Option) *seam.Options { return collect(opts) }

func collect(opts []Option) *seam.Options {
	o := &seam.Options{}
	for i, opt := range opts {
		if opt == nil {
			o.Reject("option %d is nil", i+1)
			continue
		}
		opt.apply(o)
	}
	return o
}

// Name names the block in errors, logs and on the server, at no round trip of its
// own: on PostgreSQL as the application_name of its connection (63 bytes of it),
// on MySQL and MariaDB as a comment before each of its statements. A nested block
// without a name has that of the block around it. SQLite has no place for it.
func Name(name string) Option { return optionFunc(func(o *seam.Options) { o.Name = name }) }

// Durable says that what the block does must be committed when Do returns nil:
// inside another block of the same database, Do returns ErrDurable at once and
// fn does not run (rule B14). Django's atomic(durable=True) is the model.
func Durable() Option { return optionFunc(func(o *seam.Options) { o.Durable = true }) }

// NoSavepoint makes a nested block join the enclosing one instead of being a
// savepoint in it: if it fails, the enclosing block can only roll back (rule
// B5). Outside any block it has no effect. Django's atomic(savepoint=False) is
// the model.
func NoSavepoint() Option { return optionFunc(func(o *seam.Options) { o.NoSavepoint = true }) }

// ReadOnly has the server refuse every write in the block (rule B22): a write
// fails with dialect.ErrReadOnly. With orm.WithReplicas such a block goes to a replica
// (rule R1), which may show what was a while ago, unless its ctx says what it has to
// show (Seen). Outermost blocks only.
func ReadOnly() Option { return optionFunc(func(o *seam.Options) { o.ReadOnly = true }) }

// Isolation sets the block's isolation level. sql.LevelDefault is the
// database's own default (rule S8). Outermost blocks only; a level that the
// server does not have is dialect.ErrUnsupported at the first statement.
func Isolation(level sql.IsolationLevel) Option {
	return optionFunc(func(o *seam.Options) { o.Isolation = level })
}

// Deferrable makes the block read-only and serializable, and on PostgreSQL has
// it wait for a snapshot with which it cannot fail (SET TRANSACTION, DEFERRABLE,
// in PostgreSQL's manual). On SQLite no transaction fails for that. On MySQL and
// MariaDB it is dialect.ErrUnsupported at the first statement. Outermost blocks
// only.
func Deferrable() Option {
	return optionFunc(func(o *seam.Options) { o.Deferrable, o.ReadOnly = true, true })
}

// Timeout limits the whole block, its retries included. When it runs out, a
// statement in progress is cancelled, the block is rolled back even if fn is
// busy elsewhere, and Do returns an error that matches ErrTimeout and
// context.DeadlineExceeded (rule B19). A nested block's timeout ends that
// block; if a statement was in progress its connection is lost, and with it the
// outer blocks.
func Timeout(d time.Duration) Option {
	return optionFunc(func(o *seam.Options) {
		if d <= 0 {
			o.Reject("Timeout(%v): must be positive", d)
		}
		o.Timeout = d
	})
}

// IdleTimeout rolls the block back and gives its connection to others if it
// sends nothing for d; its next statement, and Do, then return an error that
// matches ErrIdleTimeout (rule B19). Outermost blocks only.
func IdleTimeout(d time.Duration) Option {
	return optionFunc(func(o *seam.Options) {
		if d <= 0 {
			o.Reject("IdleTimeout(%v): must be positive", d)
		}
		o.Idle = d
	})
}

// LockTimeout limits each wait of the block for a lock on the server (rule
// B19): for a row, and for a table that somebody alters. A lock that is not obtained
// in time is dialect.ErrLockNotAvailable. The granularity is the server's: a
// millisecond on PostgreSQL and SQLite, a second (rounded up) on MySQL and MariaDB.
func LockTimeout(d time.Duration) Option {
	return optionFunc(func(o *seam.Options) {
		if d < 0 {
			o.Reject("LockTimeout(%v): must not be negative", d)
		}
		o.LockWait = &d
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
// one more round trip before COMMIT, and means something on the server that gave
// the id only: after a failover the outcome stays unknown unless the table of
// postgres.CommitsTable exists. On the other engines, and with that table on
// PostgreSQL, a marker row in the table holdfast_commits travels with COMMIT and is
// looked up afterwards; on MySQL and MariaDB the table must exist
// (mysql.CommitsTable), on SQLite it is made when it is first needed. On Vitess the
// row is on one shard and says nothing of others: in another transaction_mode than
// SINGLE, which keeps a block on one, such a block is dialect.ErrUnsupported and rolled
// back. Outermost blocks only.
func ResolveCommit() Option { return optionFunc(func(o *seam.Options) { o.Resolve = true }) }

// NoDefaults has an outermost block go by its own options alone, without those of
// orm.WithBlock (rule B18): it is how one block has no Retry or no Timeout where
// every other has. In a nested block it changes nothing.
func NoDefaults() Option { return optionFunc(func(o *seam.Options) { o.NoDefaults = true }) }

// HookOption changes how a hook runs.
type HookOption interface{ apply(*seam.Hook) }

type hookOptionFunc func(*seam.Hook)

func (f hookOptionFunc) apply(h *seam.Hook) { f(h) }

// Robust has a hook's error or panic logged instead of handed on, so that the
// hooks after it run (rule B16). Django's on_commit(robust=True) is the model.
func Robust() HookOption { return hookOptionFunc(func(h *seam.Hook) { h.Robust = true }) }
