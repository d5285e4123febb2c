package atomic

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"slices"
)

// hook is a function that waits for the end of the outermost block.
type hook struct {
	fn       func(context.Context) error
	clock    int  // when it was registered
	rollback bool // of OnRollback
	robust   bool
}

// OnCommit has fn run after the outermost block was committed, outside it, with
// the ctx that the outermost Do was given, in the order of registration (rule
// B16). It never runs if the block that registered it, or one around that, is
// rolled back. The connection is back in the pool by then.
//
// Outside any block fn runs at once, and its error is returned. In a session
// with autocommit off it runs after the session's commit. A nil fn is ErrOption.
//
// An error of fn stops the hooks after it and makes Do return a *HookError: the
// data is committed all the same. So does a panic, which goes on through Do.
// With Robust either is logged and the rest run. Django's transaction.on_commit
// is the model.
func OnCommit(ctx context.Context, db DB, fn func(context.Context) error, opts ...HookOption) error {
	return register(ctx, db, &hook{fn: fn}, opts)
}

// OnRollback has fn run after the outermost block has ended if the part that
// registered it was rolled back, whether alone or with a block around it. It
// mirrors OnCommit in everything else; outside any block it never runs, since
// nothing can be rolled back. If the outcome of a commit is unknown, no hook of
// either kind runs.
func OnRollback(ctx context.Context, db DB, fn func(context.Context) error, opts ...HookOption) error {
	return register(ctx, db, &hook{fn: fn, rollback: true}, opts)
}

func register(ctx context.Context, db DB, h *hook, opts []HookOption) error {
	b, err := db.Gate().scope(ctx).enclosing()
	if err != nil {
		return err
	}
	if h.fn == nil || slices.ContainsFunc(opts, func(o HookOption) bool { return o == nil }) {
		refused := &BlockError{Kind: ErrOption, Reason: "a hook without a fn, or with a nil option"}
		if b != nil {
			refused.Block = b.info()
		}
		return refused // now, and not after the commit
	}
	for _, o := range opts {
		o(h)
	}
	if b == nil {
		if h.rollback {
			return nil
		}
		return h.run(ctx, db.Gate(), BlockInfo{})
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
func (h *hook) run(ctx context.Context, g *Gate, info BlockInfo) error {
	if h.robust {
		defer func() {
			if v := recover(); v != nil {
				g.settings.logger().ErrorContext(ctx, "holdfast: hook panicked", "block", info.String(), "panic", v, "stack", string(debug.Stack()))
			}
		}()
	}
	err := h.fn(ctx)
	if err != nil && h.robust {
		g.settings.logger().ErrorContext(ctx, "holdfast: hook failed", "block", info.String(), "error", err)
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
		if h.rollback == (how == rolledBack) {
			due = append(due, h)
		}
	}
	for _, h := range dropped {
		if h.rollback {
			due = append(due, h)
		}
	}
	if len(due) == 0 {
		return nil
	}
	slices.SortFunc(due, func(a, b *hook) int { return cmp.Compare(a.clock, b.clock) })
	for i, h := range due {
		if err := h.run(b.ctx, t.gate, b.info()); err != nil {
			return &HookError{Block: b.info(), Committed: how == committed, Hook: i + 1, Skipped: len(due) - i - 1, Err: err}
		}
	}
	return nil
}
