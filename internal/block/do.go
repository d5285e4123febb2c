package block

import (
	"context"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block/state"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// Run is the life of a block: where it belongs, whether it may begin, fn, and
// its end. It reports whether what fn did is kept.
func (x *Executor) Run(ctx context.Context, fn func(context.Context) error, o *seam.Options, from seam.Site) (kept bool, err error) {
	sc := x.scope(ctx)
	parent, err := sc.enclosing()
	if err != nil {
		return false, err
	}
	if parent != nil && parent.Ended() { // whatever is wanted of it (B9)
		return false, parent.Usable()
	}
	refuse := func(kind error, reason string) (bool, error) {
		site := from // a copy: without a refusal it need not be on the heap
		return false, &atomic.BlockError{Block: x.wouldBe(parent, o, &site), Kind: kind, Reason: reason}
	}
	without := func(ctx context.Context) (bool, error) { // fn without a block
		err := fn(ctx)
		return err == nil, err
	}
	if fn == nil {
		o.Reject("there is no fn to run")
	}
	if o.Once != nil {
		o.Reject("OnceFor, Wait, KeepFor and their like are options of Once")
	}
	if o.Err != nil {
		return refuse(atomic.ErrOption, o.Err.Error())
	}
	mode := atomic.PropagationMode(o.Propagation)
	if mode == atomic.Never || mode == atomic.Suspended {
		if names := o.OfABlock(); names != "" {
			return refuse(atomic.ErrOption, names+" cannot be honoured: with this Propagation fn runs without a block")
		}
	}
	join := o.NoSavepoint
	switch mode {
	case atomic.Never:
		if parent != nil {
			return refuse(atomic.ErrInBlock, "Propagation(Never) inside "+parent.Info().String())
		}
		return without(ctx)
	case atomic.Suspended:
		if parent == nil {
			return without(ctx)
		}
		return without(x.with(ctx, &scope{outer: sc}))
	case atomic.Independent:
		if parent != nil {
			sc, parent = &scope{outer: sc}, nil
		}
	case atomic.Mandatory:
		if parent == nil {
			return refuse(atomic.ErrNotInBlock, "Propagation(Mandatory) outside any block")
		}
		join = true
	case atomic.Join:
		join = true
	}
	if parent == nil {
		return x.outermost(ctx, sc, fn, o, from)
	}
	if o.Durable { // B14
		return refuse(atomic.ErrDurable, "its work could still be rolled back by "+parent.Info().String())
	}
	if names := o.OutermostOnly(); names != "" { // B18
		return refuse(atomic.ErrOption, names+" cannot be honoured inside "+parent.Info().String()+"; set it there, or use Propagation(Independent)")
	}
	if !join {
		if err := x.db.Server.Require(dialect.Savepoint); err != nil {
			return false, err
		}
	}
	return parent.nested(ctx, sc, fn, o, from, !join)
}

// wouldBe is what an error says of a block that is refused: with the options that
// would be in force in it, of which none is where fn would run without a block.
func (x *Executor) wouldBe(parent *block, o *seam.Options, from *seam.Site) atomic.BlockInfo {
	if parent != nil {
		return parent.WouldBe(o, from)
	}
	asked := *o
	if mode := atomic.PropagationMode(o.Propagation); mode == atomic.Never || mode == atomic.Suspended {
		asked = seam.Options{Name: o.Name}
	} else {
		asked.Complete(&x.settings.Block)
	}
	return state.Info(&asked, 1, from)
}

// outermost runs fn in a transaction of its own, again if Retry says so.
func (x *Executor) outermost(ctx context.Context, sc *scope, fn func(context.Context) error, o *seam.Options, from seam.Site) (kept bool, err error) {
	o.Complete(&x.settings.Block)
	caller := ctx
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, atomic.ErrTimeout)
		defer cancel()
	}
	attempt := func(n int) (*transaction, ending, error) {
		return x.attempt(ctx, caller, sc, fn, o, from, n)
	}
	if !o.Retry.Again() {
		_, how, err := attempt(1)
		return how == committed, err
	}
	return (*retry)(o.Retry).run(ctx, attempt)
}

// attempt runs fn once, in a fresh transaction. caller is the ctx of Do, with
// which its hooks run.
func (x *Executor) attempt(ctx, caller context.Context, sc *scope, fn func(context.Context) error, o *seam.Options, from seam.Site, n int) (*transaction, ending, error) {
	if ctx.Err() != nil {
		site := from // a copy, as in Run
		return nil, rolledBack, &atomic.BlockError{Block: state.Info(o, 1, &site), Reason: notBegun, Err: causeOf(ctx)}
	}
	t, err := x.begin(ctx, caller, sc, o, from)
	if err != nil {
		return nil, rolledBack, err
	}
	t.attempt = n
	inner := x.with(ctx, &scope{block: t.root, session: sc.session, outer: sc.outer})
	defer t.watchTimeout(ctx)()

	returned := false
	defer func() {
		if !returned { // a panic or Goexit goes on by itself, unchanged (B3)
			t.root.abandon(ctx)
		}
	}()
	err = fn(inner)
	returned = true
	how, err := t.end(ctx, t.returned(ctx, err))
	return t, how, err
}

// notBegun is why fn has not run.
const notBegun = "ctx had ended before the block began; fn has not run"

// begin opens a transaction with its outermost block.
func (x *Executor) begin(ctx, caller context.Context, sc *scope, o *seam.Options, from seam.Site) (*transaction, error) {
	t := newTransaction(caller, x, sc, o, from)
	if sc.session != nil {
		if err := sc.session.lend(ctx, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// nested runs fn in a block inside b.
func (b *block) nested(ctx context.Context, sc *scope, fn func(context.Context) error, o *seam.Options, from seam.Site, savepoint bool) (kept bool, err error) {
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, atomic.ErrTimeout)
		defer cancel()
	}
	if ctx.Err() != nil {
		site := from
		return false, &atomic.BlockError{Block: b.WouldBe(o, &site), Reason: notBegun, Err: causeOf(ctx)}
	}
	inner, err := b.enter(ctx, o, from, savepoint)
	if err != nil {
		return false, err
	}
	returned := false
	defer func() {
		if !returned {
			inner.abandon(ctx)
		}
	}()
	err = fn(b.tx.executor.with(ctx, &scope{block: inner, session: sc.session, outer: sc.outer}))
	returned = true
	return inner.endNested(b.tx.returned(ctx, err))
}

// goOn ends transactions of db.SQL() inside b whose ctx has ended. database/sql rolls
// them back, but a moment later and on a goroutine of its own, and b need not wait for it.
func (b *block) goOn(ctx context.Context) {
	t := b.tx
	if !b.Delayed() || t.connMu.lockWithin(ctx) != nil {
		return
	}
	defer t.connMu.unlock()
	t.closeRows(b.Depth()+1, t.root.outlived)
	b.GoOn()
}

// enter opens a block inside b. Nothing is sent.
func (b *block) enter(ctx context.Context, o *seam.Options, from seam.Site, savepoint bool) (*block, error) {
	if b.tx.connMu.readsHere() { // a Scanner: the end of the block would wait for the reading of the rows
		return nil, &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrRowsOpen, Reason: "a block inside this one begins after they were read"}
	}
	inner, err := b.Enter(o, from, savepoint)
	if err != nil {
		return nil, err
	}
	return &block{Block: inner, tx: b.tx, ctx: ctx}, nil
}
