package block

import (
	"context"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block/state"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// Block implements seam.Executor.
func (x *Executor) Block(ctx context.Context) seam.Block {
	if b := x.scope(ctx).block; b != nil {
		return b
	}
	return nil
}

// Encloses reports whether a statement with ctx is part of a transaction: of a
// block's, or of a session's with autocommit off. An error in it is then undone by
// a savepoint, and a lock is held.
func (x *Executor) Encloses(ctx context.Context) bool {
	b, err := x.scope(ctx).enclosing()
	return b != nil && err == nil
}

// Outside returns nil where ctx belongs to no transaction, and otherwise what is wrong
// with that: the block in progress, of which reason says why it is in the way, or
// that the block, or the session, has ended (B9).
func (x *Executor) Outside(ctx context.Context, reason string) error {
	b, err := x.scope(ctx).enclosing()
	switch {
	case err != nil || b == nil:
		return err
	case b.Ended():
		return b.Usable()
	}
	return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrInBlock, Reason: reason}
}

// Unsent reports whether ctx belongs to a block in whose transaction nothing was
// sent yet.
func (x *Executor) Unsent(ctx context.Context) bool {
	b, err := x.scope(ctx).enclosing()
	return b != nil && err == nil && b.tx.state.Phase() == state.Unsent
}

// Committed implements seam.Executor. It is for the hooks, and for who comes after Do.
func (x *Executor) Committed(ctx context.Context) bool {
	b := x.scope(ctx).block
	if b == nil {
		return false
	}
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	return b.tx.ended == committed
}

// Worked implements seam.Executor.
func (x *Executor) Worked(ctx context.Context) bool {
	b := x.scope(ctx).block
	if b == nil {
		return false
	}
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended == committed && (t.wrote && !t.root.Opts.ReadOnly || t.hooked)
}

// Complete implements seam.Executor.
func (x *Executor) Complete(o *seam.Options) { o.Complete(&x.settings.Block) }

// Detach implements seam.Executor.
func (x *Executor) Detach(ctx, outer context.Context) context.Context {
	return x.with(ctx, x.scope(outer))
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
