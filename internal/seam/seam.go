// Package seam is what stands between the packages that an application names
// and the machine that runs blocks (internal/block). Package atomic speaks to an
// [Executor] and knows nothing of transactions; the machine knows package atomic
// for its errors alone.
package seam

import (
	"context"
	"time"
)

// NoDatabase is what is wrong with a database that is nil.
const NoDatabase = "there is no database: db is nil; pass what orm.Open returned, which is nil where its error is not"

// An Executor runs blocks of one database, and the statements in them and
// outside them.
type Executor interface {
	// Run is the life of a block: where it belongs, whether it may begin, fn, and
	// its end. It reports whether what fn did is kept.
	Run(ctx context.Context, fn func(context.Context) error, o *Options, from Site) (kept bool, err error)
	// Once is Run for a key: fn runs unless its result is kept already, which is the
	// answer then.
	Once(ctx context.Context, fn func(context.Context) ([]byte, error), once *Once, o *Options, from Site) (*Answer, error)
	// PurgeOnce deletes the results that have expired, and counts them.
	PurgeOnce(ctx context.Context, from Site) (int64, error)
	// Block is the block of ctx, or nil outside any.
	Block(ctx context.Context) Block
	// Complete gives o, of an outermost block, what the database's defaults say and o
	// does not.
	Complete(o *Options)
	// Unsent reports whether ctx belongs to a block in whose transaction nothing was
	// sent yet.
	Unsent(ctx context.Context) bool
	// Committed reports whether ctx belongs to a block whose transaction is committed.
	Committed(ctx context.Context) bool
	// Worked is Committed where that makes a difference: the transaction may have written,
	// or hooks of it have run.
	Worked(ctx context.Context) bool
	// Detach is ctx with the block, or the session, that outer belongs to, or with
	// none if outer has none.
	Detach(ctx, outer context.Context) context.Context
	// Register has a hook wait for the end of the block of ctx.
	Register(ctx context.Context, h *Hook) error
	// Savepoint sets one by hand in the block of ctx.
	Savepoint(ctx context.Context) (Point, error)
	// AdvisoryLock takes a lock on a name within limit, nil for the block's. The
	// error refused is of the options, and has its turn when the block was found.
	AdvisoryLock(ctx context.Context, name string, limit *time.Duration, refused string) error
	// OpenSession pins a connection to the ctx that it returns.
	OpenSession(ctx context.Context, from Site) (Session, context.Context, error)
	// Seen is ctx with a collector of where commits stand, which begins with token.
	Seen(ctx context.Context, token string) (context.Context, error)
	// SeenToken is what the collector of ctx has, "" if that is nothing.
	SeenToken(ctx context.Context) string
}

// Block is the block that a ctx carries. It may have ended.
type Block interface {
	InProgress() bool
	SetRollback(rollback bool) error
	NeedsRollback() bool
	Attempt() int
}

// Point is a savepoint set by hand.
type Point interface {
	Rollback(ctx context.Context) error
	Release(ctx context.Context) error
}

// Session is a pinned connection.
type Session interface {
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
	SetAutocommit(on bool) error
	Autocommit() bool
	Close() error
}

// Hook is a function that waits for the end of the outermost block.
type Hook struct {
	Fn         func(context.Context) error
	OnRollback bool // it runs if its part was rolled back; false: if it was committed
	Robust     bool // its error is logged and not returned
	Refused    bool // one of its options was nil
}
