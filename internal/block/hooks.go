package block

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// Register implements seam.Executor.
func (x *Executor) Register(ctx context.Context, wanted *seam.Hook) error {
	b, err := x.scope(ctx).enclosing()
	if err != nil {
		return err
	}
	if wanted.Fn == nil || wanted.Refused {
		refused := &atomic.BlockError{Kind: atomic.ErrOption, Reason: "a hook without a fn, or with a nil option"}
		if b != nil {
			refused.Block = b.Info()
		}
		return refused // now, and not after the commit
	}
	if b != nil {
		return b.Register(*wanted)
	}
	if x.settings.ManualCommit && x.scope(ctx).session == nil {
		return &atomic.BlockError{Kind: atomic.ErrNoSession, Reason: "a hook waits for the end of a block or of a session's transaction; here is neither"}
	}
	if wanted.OnRollback {
		return nil
	}
	return runHook(ctx, x, wanted, atomic.BlockInfo{})
}

// runHook runs one hook; a robust one only logs its error, or its panic.
func runHook(ctx context.Context, x *Executor, h *seam.Hook, info atomic.BlockInfo) error {
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
func (t *transaction) runHooksAfter(how ending, result error) error {
	err := t.runHooks(how)
	switch {
	case result == nil:
		return err
	case err == nil:
		return result
	}
	return errors.Join(result, err)
}

func (t *transaction) runHooks(how ending) error {
	due := t.state.Due(how == committed, how != unknown)
	t.mu.Lock()
	t.hooked = len(due) > 0
	t.mu.Unlock()
	for i, h := range due {
		if err := runHook(t.root.ctx, t.executor, &h.Hook, t.root.Info()); err != nil {
			return &atomic.HookError{Block: t.root.Info(), Committed: how == committed, Hook: i + 1, Skipped: len(due) - i - 1, Err: err}
		}
	}
	return nil
}
