package block

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block/state"
)

// watchTimeout rolls the block back as soon as its Timeout has run out, even
// if fn is busy elsewhere (rule B19). The function that it returns ends the
// watch.
func (t *transaction) watchTimeout(ctx context.Context) (stop func()) {
	if t.root.Opts.Timeout == 0 {
		return func() {}
	}
	unwatch := context.AfterFunc(ctx, func() {
		t.connMu.lock()
		defer t.connMu.unlock()
		t.expire(ctx, causeOf(ctx))
	})
	return func() { unwatch() }
}

// touch starts the idle clock again.
func (t *transaction) touch() {
	limit := t.root.Opts.Idle
	if limit == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastActive = time.Now()
	switch {
	case t.state.Phase() == state.Over:
	case t.idle == nil:
		t.idle = time.AfterFunc(limit, t.idleOut)
	default:
		t.idle.Reset(limit)
	}
}

func (t *transaction) stopIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle != nil {
		t.idle.Stop()
	}
}

// idleOut is called when the idle clock has run down.
func (t *transaction) idleOut() {
	t.connMu.lock()
	defer t.connMu.unlock()
	t.mu.Lock()
	if rest := t.root.Opts.Idle - time.Since(t.lastActive); rest > 0 {
		if t.state.Phase() != state.Over {
			t.idle.Reset(rest) // a statement was faster
		}
		t.mu.Unlock()
		return
	}
	t.mu.Unlock()
	t.expire(t.root.ctx, atomic.ErrIdleTimeout)
}

// expire ends the transaction before fn has returned. It needs connMu, so no
// statement is in progress.
func (t *transaction) expire(ctx context.Context, why error) {
	t.closeRows(t.root.Depth(), func() error { return &atomic.BlockError{Block: t.root.Info(), Kind: atomic.ErrBlockClosed, Err: why} })
	was, restore, done := t.state.Expire(why)
	if !done {
		return
	}
	t.stopIdle()
	t.rollback(ctx, was, restore)
	t.leave()
}
