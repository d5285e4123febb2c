package atomic

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// OnCommit has fn run after the outermost block was committed, outside it, with
// the ctx that the outermost Do was given, in the order of registration (rule
// B16). It never runs if the block that registered it, or one around that, is
// rolled back. The connection is back in the pool by then.
//
// Outside any block fn runs at once, and its error is returned; with autocommit off
// and no session it is ErrNoSession. While a nested block is open it needs the ctx of
// that one. In a session
// with autocommit off it runs after the session's commit. A nil fn is ErrOption.
//
// An error of fn stops the hooks after it and makes Do return a *HookError: the
// data is committed all the same. So does a panic, which goes on through Do.
// With Robust either is logged and the rest run. Django's transaction.on_commit
// is the model.
func OnCommit(ctx context.Context, db DB, fn func(context.Context) error, opts ...HookOption) error {
	return register(ctx, db, &seam.Hook{Fn: fn}, opts)
}

// OnRollback has fn run after the outermost block has ended if the part that
// registered it was rolled back, whether alone or with a block around it. It
// mirrors OnCommit in everything else; outside any block it never runs, since
// nothing can be rolled back. If the outcome of a commit is unknown, no hook of
// either kind runs.
func OnRollback(ctx context.Context, db DB, fn func(context.Context) error, opts ...HookOption) error {
	return register(ctx, db, &seam.Hook{Fn: fn, OnRollback: true}, opts)
}

func register(ctx context.Context, db DB, h *seam.Hook, opts []HookOption) error {
	for _, o := range opts {
		if o == nil {
			h.Refused = true
			continue
		}
		o.apply(h)
	}
	return executor(db).Register(ctx, h)
}
