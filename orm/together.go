package orm

import (
	"context"

	"github.com/holdfast-go/holdfast/atomic"
)

// ownAttempts is how often an operation that is a block of its own runs again
// after a deadlock or a serialization failure.
const ownAttempts = 5

// together runs fn in a block of the operation's own (rule S9). Inside another one
// a deadlock ends that one as well, which may ask for atomic.Retry. Outside, nobody
// else could: the operation runs again by itself. fn finds everything as it was, and
// so has to leave it.
func (db *DB) together(ctx context.Context, fn func(ctx context.Context) error) error {
	if db.executor.Encloses(ctx) {
		return atomic.Do(ctx, db, fn)
	}
	return atomic.Do(ctx, db, fn, atomic.Retry(ownAttempts))
}
