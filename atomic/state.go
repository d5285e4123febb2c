package atomic

import "context"

// In reports whether ctx belongs to a block of db that is still in progress. It panics
// if db is nil, which is in no block for another reason than it says.
func In(ctx context.Context, db DB) bool {
	b := executor(db).Block(ctx)
	return b != nil && b.InProgress()
}

// SetRollback asks for the block of ctx to be rolled back at its end, whatever
// fn returns besides an error: Do then returns nil (rule B20), also if a statement
// has failed. Statements may go on. While a nested block is open it needs the ctx of
// that one, and returns ErrOuterContext with another. SetRollback(ctx, db, false) takes the request back; it does not revive a
// block in which a statement has failed, and returns ErrRollbackRequired there.
// Outside any block it returns ErrNotInBlock.
func SetRollback(ctx context.Context, db DB, rollback bool) error {
	b := executor(db).Block(ctx)
	if b == nil {
		return &BlockError{Kind: ErrNotInBlock, Reason: "SetRollback needs the ctx of a block"}
	}
	return b.SetRollback(rollback)
}

// NeedsRollback reports whether the block of ctx can, or is asked to, end only
// in a rollback: a statement has failed, SetRollback was called, or the ctx that
// its Do was given has ended. It panics if db is nil.
func NeedsRollback(ctx context.Context, db DB) bool {
	b := executor(db).Block(ctx)
	return b != nil && b.NeedsRollback()
}

// Attempt is the number of the block's current attempt under Retry, counted
// from 1. It is 1 in a block without Retry and 0 outside any block. It panics if db is
// nil.
func Attempt(ctx context.Context, db DB) int {
	b := executor(db).Block(ctx)
	if b == nil {
		return 0
	}
	return b.Attempt()
}
