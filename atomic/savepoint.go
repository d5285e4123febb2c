package atomic

import "context"

// Point is a savepoint set by hand (rule B24).
type Point struct {
	block *block
	point *point
}

// Savepoint sets a savepoint in the block of ctx, for code that must steer by
// hand; a nested Do is the safer way. Nothing is sent before the next statement.
// It also works in the transaction of a session. Outside both it returns
// ErrNotInBlock.
func Savepoint(ctx context.Context, db DB) (*Point, error) {
	b, err := db.Gate().scope(ctx).enclosing()
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, &BlockError{Kind: ErrNotInBlock, Reason: "Savepoint needs the ctx of a block"}
	}
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(b); err != nil {
		return nil, err
	}
	p := &point{block: b, clock: t.tick()}
	t.points = append(t.points, p)
	return &Point{block: b, point: p}, nil
}

// Rollback undoes everything since the savepoint, which stays: what was
// written, the mark of a statement that has failed since, the savepoints and
// the hooks. After a failure that ended the whole transaction (rule B8) it
// returns ErrRollbackRequired.
func (p *Point) Rollback(ctx context.Context) error {
	return p.steer(ctx, func(t *transaction) error {
		if t.phase == lost {
			return t.usable(p.block)
		}
		t.rollbackTo(p.point)
		t.revive(p.block, p.point)
		kept := p.block.hooks[:0:0]
		for _, h := range p.block.hooks {
			if h.clock > p.point.clock {
				t.dropped = append(t.dropped, h)
			} else {
				kept = append(kept, h)
			}
		}
		p.block.hooks = kept
		return nil
	})
}

// Release forgets the savepoint and keeps what was done since.
func (p *Point) Release(ctx context.Context) error {
	return p.steer(ctx, func(t *transaction) error {
		if p.block.state == failed {
			return t.usable(p.block)
		}
		t.release(p.point)
		return nil
	})
}

// steer checks that the savepoint can be used, and runs act with the turn and
// the lock.
func (p *Point) steer(ctx context.Context, act func(*transaction) error) error {
	t := p.block.tx
	caller, err := t.gate.scope(ctx).enclosing()
	if err != nil {
		return err
	}
	if err := t.turn.take(ctx); err != nil {
		return err
	}
	defer t.turn.give()
	t.mu.Lock()
	defer t.mu.Unlock()
	b := p.block
	switch {
	case b.state == ended:
		return t.usable(b)
	case caller != b:
		return &BlockError{Block: b.info(), Kind: ErrSavepointEnded, Reason: "it belongs to this block; use it with this block's ctx"}
	case t.top() != b:
		return &BlockError{Block: b.info(), Kind: ErrOuterContext, Reason: t.top().info().String() + " is still in progress"}
	case t.indexOf(p.point) == 0:
		return &BlockError{Block: b.info(), Kind: ErrSavepointEnded, Reason: "it was released, or an earlier one was rolled back"}
	case t.rows != nil:
		return &BlockError{Block: b.info(), Kind: ErrRowsOpen, Reason: "close them first"}
	}
	return act(t)
}
