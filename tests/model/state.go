package model

// setRollback is atomic.SetRollback.
func (w *world) setRollback(op *SetRollback, c *ctx) Error {
	b := c.block
	switch {
	case b == nil:
		return NewError(NotInBlock)
	case b.ended:
		return NewError(BlockClosed)
	case b.inner != nil: // B10
		return NewError(OuterContext)
	case b.failed != nil && !op.To:
		return b.failed.With(RollbackRequired)
	}
	b.asked = op.To
	return nil
}

// look is atomic.In, and inside a block NeedsRollback and Attempt.
func (w *world) look(op *Look, c *ctx) {
	b := c.block
	if b == nil || b.ended {
		w.log(op.ID, "not in a block")
		return
	}
	w.log(op.ID, "in a block, needs rollback %v, attempt 1", b.failed != nil || b.asked || b.ctx.ended() != nil)
}
