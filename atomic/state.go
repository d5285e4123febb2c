package atomic

import "context"

// In reports whether ctx belongs to a block of db that is still in progress.
func In(ctx context.Context, db DB) bool {
	sc := db.Gate().scope(ctx)
	if sc.block == nil {
		return false
	}
	sc.block.tx.mu.Lock()
	defer sc.block.tx.mu.Unlock()
	return sc.block.state != ended
}

// SetRollback asks for the block of ctx to be rolled back at its end, whatever
// fn returns besides an error: Do then returns nil (rule B20). Statements may go
// on. SetRollback(ctx, db, false) takes the request back; it does not revive a
// block in which a statement has failed, and returns ErrRollbackRequired there.
// Outside any block it returns ErrNotInBlock.
func SetRollback(ctx context.Context, db DB, rollback bool) error {
	b := db.Gate().scope(ctx).block
	if b == nil {
		return &BlockError{Kind: ErrNotInBlock, Reason: "SetRollback needs the ctx of a block"}
	}
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	if b.state == ended || b.state == failed && !rollback {
		return b.tx.usable(b)
	}
	b.undo = rollback
	return nil
}

// NeedsRollback reports whether the block of ctx can, or is asked to, end only
// in a rollback: a statement has failed, SetRollback was called, or the ctx that
// its Do was given has ended.
func NeedsRollback(ctx context.Context, db DB) bool {
	sc := db.Gate().scope(ctx)
	if sc.block == nil {
		return false
	}
	sc.block.tx.mu.Lock()
	defer sc.block.tx.mu.Unlock()
	return sc.block.state == failed || sc.block.undo || sc.block.ctx.Err() != nil
}

// Attempt is the number of the block's current attempt under Retry, counted
// from 1. It is 1 in a block without Retry and 0 outside any block.
func Attempt(ctx context.Context, db DB) int {
	sc := db.Gate().scope(ctx)
	if sc.block == nil {
		return 0
	}
	return sc.block.tx.attempt
}
