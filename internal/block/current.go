package block

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// Block implements seam.Executor.
func (x *Executor) Block(ctx context.Context) seam.Block {
	if b := x.scope(ctx).block; b != nil {
		return b
	}
	return nil
}

func (x *Executor) inBlock(ctx context.Context) bool {
	b := x.scope(ctx).block
	return b != nil && b.InProgress()
}

// InProgress implements seam.Block, as do the methods below it.
func (b *block) InProgress() bool {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	return b.state != ended
}

// SetRollback revives no block in which a statement has failed.
func (b *block) SetRollback(rollback bool) error {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	if b.state == ended || b.state == failed && !rollback {
		return b.tx.usable(b)
	}
	b.undo = rollback
	return nil
}

// NeedsRollback is true also where the ctx of Do has ended.
func (b *block) NeedsRollback() bool {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	return b.state == failed || b.undo || b.ctx.Err() != nil
}

// Attempt counts from 1.
func (b *block) Attempt() int { return b.tx.attempt }
