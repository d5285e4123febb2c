package block

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
)

// watchTimeout rolls the block back as soon as its Timeout has run out, even
// if fn is busy elsewhere (rule B19). The function that it returns ends the
// watch.
func (t *transaction) watchTimeout(ctx context.Context) (stop func()) {
	if t.root.opts.Timeout == 0 {
		return func() {}
	}
	unwatch := context.AfterFunc(ctx, func() {
		t.connMu.lock()
		defer t.connMu.unlock()
		t.expire(ctx, context.Cause(ctx))
	})
	return func() { unwatch() }
}

// idleOut is called when the idle clock has run down.
func (t *transaction) idleOut() {
	t.connMu.lock()
	defer t.connMu.unlock()
	t.mu.Lock()
	if rest := t.root.opts.Idle - time.Since(t.lastActive); rest > 0 {
		if t.phase != over {
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
	t.closeRows(0, &atomic.BlockError{Block: t.root.info(), Kind: atomic.ErrBlockClosed, Err: why})
	t.mu.Lock()
	if t.phase == over {
		t.mu.Unlock()
		return
	}
	t.expired = true
	cause := &atomic.BlockError{Block: t.root.info(), Reason: "rolled back before fn returned", Err: why}
	for _, b := range t.stack {
		t.fail(b, cause)
	}
	was, suffix := t.phase, t.restores()
	t.dropped = append(t.dropped, t.finish()...)
	t.mu.Unlock()

	t.rollback(ctx, was, suffix)
	t.leave()
}
