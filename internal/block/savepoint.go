package block

import (
	"context"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block/state"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// manualPoint is a savepoint set by hand (rule B24).
type manualPoint struct {
	block *block
	point *state.Point
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
	if err := x.db.Server.Require(dialect.Savepoint); err != nil {
		return nil, err
	}
	p, err := b.Savepoint()
	if err != nil {
		return nil, err
	}
	return &manualPoint{block: b, point: p}, nil
}

// Rollback undoes everything since the point, its marks and hooks too.
func (p *manualPoint) Rollback(ctx context.Context) error { return p.steer(ctx, p.point.Rollback) }

// Release forgets the savepoint and keeps what was done since.
func (p *manualPoint) Release(ctx context.Context) error { return p.steer(ctx, p.point.Release) }

// steer runs act for the block of ctx, while nobody sends.
func (p *manualPoint) steer(ctx context.Context, act func(caller *state.Block, busy bool) error) error {
	t := p.block.tx
	caller, err := t.executor.scope(ctx).enclosing()
	if err != nil {
		return err
	}
	if err := t.connMu.lockWithin(ctx); err != nil {
		return rowsOf(err)
	}
	defer t.connMu.unlock()
	var b *state.Block
	if caller != nil {
		b = caller.Block
	}
	return act(b, t.openRows() != nil)
}
