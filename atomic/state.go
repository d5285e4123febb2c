package atomic

import "context"

// In reports whether ctx belongs to a block of db that is still in progress.
func In(ctx context.Context, db DB) bool {
	b := db.Executor().Block(ctx)
	return b != nil && b.InProgress()
}

// SetRollback asks for the block of ctx to be rolled back at its end, whatever
// fn returns besides an error: Do then returns nil (rule B20), also if a statement
// has failed. Statements may go on. While a nested block is open it needs the ctx of
// that one, and returns ErrOuterContext with another. SetRollback(ctx, db, false) takes the request back; it does not revive a
// block in which a statement has failed, and returns ErrRollbackRequired there.
// Outside any block it returns ErrNotInBlock.
func SetRollback(ctx context.Context, db DB, rollback bool) error {
	b := db.Executor().Block(ctx)
	if b == nil {
		return &BlockError{Kind: ErrNotInBlock, Reason: "SetRollback needs the ctx of a block"}
	}
	return b.SetRollback(rollback)
}

// NeedsRollback reports whether the block of ctx can, or is asked to, end only
// in a rollback: a statement has failed, SetRollback was called, or the ctx that
// its Do was given has ended.
func NeedsRollback(ctx context.Context, db DB) bool {
	b := db.Executor().Block(ctx)
	return b != nil && b.NeedsRollback()
}

// Attempt is the number of the block's current attempt under Retry, counted
// from 1. It is 1 in a block without Retry and 0 outside any block.
func Attempt(ctx context.Context, db DB) int {
	b := db.Executor().Block(ctx)
	if b == nil {
		return 0
	}
	return b.Attempt()
}
