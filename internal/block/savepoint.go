package block

import (
	"context"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// manualPoint is a savepoint set by hand (rule B24).
type manualPoint struct {
	block *block
	point *point
}

// Savepoint implements seam.Executor.
func (x *Executor) Savepoint(ctx context.Context) (seam.Point, error) {
	b, err := x.scope(ctx).enclosing()
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, &atomic.BlockError{Kind: atomic.ErrNotInBlock, Reason: "Savepoint needs the ctx of a block"}
	}
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(b); err != nil {
		return nil, err
	}
	p := &point{block: b, clock: t.tick()}
	t.points = append(t.points, p)
	return &manualPoint{block: b, point: p}, nil
}

// Rollback undoes everything since the point, its marks and hooks too.
func (p *manualPoint) Rollback(ctx context.Context) error {
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
func (p *manualPoint) Release(ctx context.Context) error {
	return p.steer(ctx, func(t *transaction) error {
		if p.block.state == failed {
			return t.usable(p.block)
		}
		t.release(p.point)
		return nil
	})
}

// steer checks that the savepoint can be used, and runs act with connMu and
// mu.
func (p *manualPoint) steer(ctx context.Context, act func(*transaction) error) error {
	t := p.block.tx
	caller, err := t.executor.scope(ctx).enclosing()
	if err != nil {
		return err
	}
	if err := t.connMu.lockWithin(ctx); err != nil {
		return err
	}
	defer t.connMu.unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	b := p.block
	switch {
	case b.state == ended:
		return t.usable(b)
	case caller != b:
		return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrSavepointEnded, Reason: "it belongs to this block; use it with this block's ctx"}
	case t.top() != b:
		return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrOuterContext, Reason: t.top().info().String() + " is still in progress"}
	case t.indexOf(p.point) == 0:
		return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrSavepointEnded, Reason: "it was released, or an earlier one was rolled back"}
	case t.rows != nil:
		return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrRowsOpen, Reason: "close them first"}
	}
	return act(t)
}
