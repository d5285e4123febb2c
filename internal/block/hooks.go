package block

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"slices"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// hook is a function that waits for the end of the outermost block.
type hook struct {
	seam.Hook
	clock int // when it was registered
}

// Register implements seam.Executor.
func (x *Executor) Register(ctx context.Context, wanted *seam.Hook) error {
	b, err := x.scope(ctx).enclosing()
	if err != nil {
		return err
	}
	if wanted.Fn == nil || wanted.Refused {
		refused := &atomic.BlockError{Kind: atomic.ErrOption, Reason: "a hook without a fn, or with a nil option"}
		if b != nil {
			refused.Block = b.info()
		}
		return refused // now, and not after the commit
	}
	h := &hook{Hook: *wanted}
	if b == nil {
		if h.OnRollback {
			return nil
		}
		return h.run(ctx, x, atomic.BlockInfo{})
	}
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	if b.state == ended {
		return b.tx.usable(b)
	}
	h.clock = b.tx.tick()
	b.hooks = append(b.hooks, h)
	return nil
}

// run runs one hook; a robust one only logs its error, or its panic.
func (h *hook) run(ctx context.Context, x *Executor, info atomic.BlockInfo) error {
	if h.Robust {
		defer func() {
			if v := recover(); v != nil {
				x.settings.logger().ErrorContext(ctx, "holdfast: hook panicked", "block", info.String(), "panic", v, "stack", string(debug.Stack()))
			}
		}()
	}
	err := h.Fn(ctx)
	if err != nil && h.Robust {
		x.settings.logger().ErrorContext(ctx, "holdfast: hook failed", "block", info.String(), "error", err)
		return nil
	}
	return err
}

// runHooksAfter runs the hooks whose time has come, now that the connection is
// free again, and returns what Do returns.
func (b *block) runHooksAfter(hooks []*hook, how ending, result error) error {
	err := b.runHooks(hooks, how)
	switch {
	case result == nil:
		return err
	case err == nil:
		return result
	}
	return errors.Join(result, err)
}

func (b *block) runHooks(hooks []*hook, how ending) error {
	t := b.tx
	t.mu.Lock()
	dropped := t.dropped
	t.dropped = nil
	t.mu.Unlock()
	if how == unknown {
		return nil
	}
	var due []*hook
	for _, h := range hooks {
		if h.OnRollback == (how == rolledBack) {
			due = append(due, h)
		}
	}
	for _, h := range dropped {
		if h.OnRollback {
			due = append(due, h)
		}
	}
	if len(due) == 0 {
		return nil
	}
	slices.SortFunc(due, func(a, b *hook) int { return cmp.Compare(a.clock, b.clock) })
	for i, h := range due {
		if err := h.run(b.ctx, t.executor, b.info()); err != nil {
			return &atomic.HookError{Block: b.info(), Committed: how == committed, Hook: i + 1, Skipped: len(due) - i - 1, Err: err}
		}
	}
	return nil
}
