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

// InProgress implements seam.Block, as do the methods below it and SetRollback.
func (b *block) InProgress() bool { return !b.Ended() }

// NeedsRollback is true also where the ctx of Do has ended.
func (b *block) NeedsRollback() bool { return b.Block.NeedsRollback() || b.ctx.Err() != nil }

// Attempt counts from 1.
func (b *block) Attempt() int { return b.tx.attempt }
