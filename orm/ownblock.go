package orm

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

// ownAttempts is how often an operation that is a block of its own runs again
// after a deadlock or a serialization failure.
const ownAttempts = 5

// ownBlock runs fn in a block of the operation's own (rule S9). Inside another one
// a deadlock ends that one as well, which may ask for atomic.Retry. Outside, nobody
// else could: the operation runs again by itself. fn finds everything as it was, and
// so has to leave it. Options are those of a block around which there is no other.
func (db *DB) ownBlock(ctx context.Context, fn func(ctx context.Context) error, opts ...atomic.Option) error {
	if db.executor.Encloses(ctx) {
		return db.nested(ctx, fn)
	}
	return atomic.Do(ctx, db, fn, append(opts, atomic.Retry(ownAttempts))...)
}

// curedByAgain reports whether the server has taken back a statement for the sake of
// another's, so that it may run again.
func curedByAgain(err error) bool {
	return errors.Is(err, dialect.ErrDeadlock) || errors.Is(err, dialect.ErrSerializationFailure)
}

// nested runs a part of an operation in a block of its own. A Scanner that panics in
// it has ended the operation, as it has where that is one statement.
func (db *DB) nested(ctx context.Context, fn func(ctx context.Context) error) error {
	returned := false
	defer func() {
		if !returned {
			_ = db.executor.Failed(ctx, block.Statement{SQL: "an operation", Built: true}, errors.New("it panicked, or called runtime.Goexit"))
		}
	}()
	err := atomic.Do(ctx, db, fn)
	returned = true
	return err
}
