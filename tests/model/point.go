package model

import "slices"

// point is a savepoint set by hand (B24).
type point struct {
	block *block
	name  string // "" unless a text has set it
	at    place
	ended bool
}

// savepoint is atomic.Savepoint.
func (w *world) savepoint(op *Savepoint, c *ctx) Error {
	if err := w.admit(c); err != nil {
		return err
	}
	if c.block == nil {
		return NewError(NotInBlock)
	}
	b := c.block
	p := &point{block: b, at: b.tx.here()}
	b.points = append(b.points, p)
	w.points[op.ID] = p
	return nil
}

// pointText is a savepoint by its name: the latest of the block that is still set.
func (w *world) pointText(op *PointText, c *ctx) Error {
	w.plan[op.ID] = 0
	if err := early(op.Way, false, c); err != nil {
		return err
	}
	b := c.block
	if op.Verb == SetPoint {
		err := w.admit(c)
		if err == nil {
			b.points = append(b.points, &point{block: b, name: op.Name, at: b.tx.here()})
		}
		return err
	}
	for _, p := range slices.Backward(b.points) {
		switch {
		case p.name != op.Name || p.ended:
		case op.Verb == ReleasePoint:
			return w.release(p, c)
		default:
			return w.rollbackTo(p, c)
		}
	}
	if err := w.admit(c); err != nil {
		return err
	}
	return NewError(TransactionControl, SavepointEnded)
}

// usable says why p cannot be used with c, or nil.
func (p *point) usable(c *ctx) Error {
	switch {
	case c.late(): // B9
		return NewError(BlockClosed)
	case p.block.ended: // Silent: B9 before B24, whatever c is
		return NewError(BlockClosed)
	case p.block != c.block:
		return NewError(SavepointEnded)
	case c.block.inner != nil: // Silent: B10 before what became of p
		return NewError(OuterContext)
	case p.ended:
		return NewError(SavepointEnded)
	case c.block.tx.reading > 0: // B10
		return NewError(RowsOpen)
	default:
		return nil // Silent: also with a ctx that was cancelled, since nothing is sent before the next statement
	}
}

// rollbackTo is (*atomic.Point).Rollback: the point stays, those after it end.
func (w *world) rollbackTo(p *point, c *ctx) Error {
	if err := p.usable(c); err != nil {
		return err
	}
	b := c.block
	b.endPoints(p, false)
	b.undo(p.at)
	b.failed = nil // Silent: also the mark that a block which joins has left (B5); SetRollback stays
	return nil
}

// release is (*atomic.Point).Release: the point and those after it end.
func (w *world) release(p *point, c *ctx) Error {
	if err := p.usable(c); err != nil {
		return err
	}
	if c.block.failed != nil { // B6
		return c.block.failed.With(RollbackRequired)
	}
	c.block.endPoints(p, true)
	return nil
}

// endPoints ends the points after p, and p itself if also is true.
func (b *block) endPoints(p *point, also bool) {
	after := false
	for _, q := range b.points {
		if q == p {
			after, q.ended = true, q.ended || also
			continue
		}
		q.ended = q.ended || after
	}
}
