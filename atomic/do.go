package atomic

import (
	"context"
)

// Do runs fn in a block: everything that fn does with the ctx that it is given
// is committed together if fn returns nil, and rolled back together otherwise.
// Outside any block of db it is the outermost one and owns a transaction; inside
// one it is nested, as a savepoint.
//
// Do returns nil only if the server has acknowledged the commit (a nested
// block: if its part is kept for the outer one to commit), or if fn asked for a
// rollback. The error of fn comes back so that errors.Is and As find it. A
// panic and runtime.Goexit roll back and go on. When a statement of the block
// has failed, the block can only be rolled back: further statements, and Do,
// return ErrRollbackRequired.
//
// Nothing is sent, and no connection taken, before fn's first statement.
func Do(ctx context.Context, db DB, fn func(ctx context.Context) error, opts ...Option) error {
	_, err := run(ctx, db.Gate(), fn, collect(opts), here())
	return err
}

// Value is Do for a function that returns something besides its error. If the
// block was rolled back, or nobody knows, the value is the zero value. With the
// *HookError of a block that is committed all the same it is fn's.
func Value[T any](ctx context.Context, db DB, fn func(ctx context.Context) (T, error), opts ...Option) (T, error) {
	var value, zero T
	o := collect(opts)
	if fn == nil {
		o.reject("there is no fn to run")
	}
	kept, err := run(ctx, db.Gate(), func(ctx context.Context) (err error) {
		value, err = fn(ctx)
		return err
	}, o, here())
	if !kept {
		return zero, err
	}
	return value, err
}

// Wrap returns fn as a function that runs in a block each time: the decorator
// form of Do.
func Wrap(db DB, fn func(ctx context.Context) error, opts ...Option) func(ctx context.Context) error {
	from := here()
	return func(ctx context.Context) error {
		_, err := run(ctx, db.Gate(), fn, collect(opts), from)
		return err
	}
}

// run is the life of a block: where it belongs, whether it may begin, fn, and
// its end. It reports whether what fn did is kept.
func run(ctx context.Context, g *Gate, fn func(context.Context) error, o *options, from site) (kept bool, err error) {
	sc := g.scope(ctx)
	parent, err := sc.enclosing()
	if err != nil {
		return false, err
	}
	refuse := func(kind error, reason string) (bool, error) {
		depth := 1
		if parent != nil {
			depth = parent.depth + 1
		}
		b := &block{opts: o, depth: depth, site: from}
		return false, &BlockError{Block: b.info(), Kind: kind, Reason: reason}
	}
	outside := func(ctx context.Context) (bool, error) {
		err := fn(ctx)
		return err == nil, err
	}
	if fn == nil {
		o.reject("there is no fn to run")
	}
	if o.err != nil {
		return refuse(ErrOption, o.err.Error())
	}
	if o.propagation == Never || o.propagation == Suspended {
		if names := o.ofABlock(); names != "" {
			return refuse(ErrOption, names+" cannot be honoured: with this Propagation fn runs without a block")
		}
	}
	join := o.noSavepoint
	switch o.propagation {
	case Never:
		if parent != nil {
			return refuse(ErrInBlock, "Propagation(Never) inside "+parent.info().String())
		}
		return outside(ctx)
	case Suspended:
		if parent == nil {
			return outside(ctx)
		}
		return outside(g.with(ctx, &scope{outer: sc}))
	case Independent:
		if parent != nil {
			sc, parent = &scope{outer: sc}, nil
		}
	case Mandatory:
		if parent == nil {
			return refuse(ErrNotInBlock, "Propagation(Mandatory) outside any block")
		}
		join = true
	case Join:
		join = true
	}
	if parent == nil {
		return g.outermost(ctx, sc, fn, o, from)
	}
	if o.durable {
		return refuse(ErrDurable, "its work could still be rolled back by "+parent.info().String())
	}
	if names := o.outermostOnly(); names != "" {
		return refuse(ErrOption, names+" cannot be honoured inside "+parent.info().String()+"; set it there, or use Propagation(Independent)")
	}
	return parent.nested(ctx, sc, fn, o, from, !join)
}

// outermost runs fn in a transaction of its own, again if Retry says so.
func (g *Gate) outermost(ctx context.Context, sc *scope, fn func(context.Context) error, o *options, from site) (kept bool, err error) {
	caller := ctx
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, ErrTimeout)
		defer cancel()
	}
	attempt := func(n int) (*transaction, ending, error) {
		b := &block{opts: o, site: from, ctx: caller}
		return b.attempt(ctx, g, sc, fn, n)
	}
	if o.retry == nil {
		_, how, err := attempt(1)
		return how == committed, err
	}
	return o.retry.run(ctx, attempt)
}

// attempt runs fn once, in a fresh transaction.
func (b *block) attempt(ctx context.Context, g *Gate, sc *scope, fn func(context.Context) error, n int) (*transaction, ending, error) {
	if ctx.Err() != nil {
		return nil, rolledBack, context.Cause(ctx)
	}
	t, err := g.begin(ctx, b, sc)
	if err != nil {
		return nil, rolledBack, err
	}
	t.attempt = n
	inner := g.with(ctx, &scope{block: b, session: sc.session, outer: sc.outer})
	defer t.watchTimeout(ctx)()

	returned := false
	defer func() {
		if !returned { // a panic or Goexit goes on by itself, unchanged (B3)
			b.abandon(ctx)
		}
	}()
	err = fn(inner)
	returned = true
	how, err := b.end(ctx, err)
	return t, how, err
}

// begin makes b the outermost block of a new transaction.
func (g *Gate) begin(ctx context.Context, b *block, sc *scope) (*transaction, error) {
	t := newTransaction(g, sc, b)
	if sc.session != nil {
		if err := sc.session.lend(ctx, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// nested runs fn in a block inside b.
func (b *block) nested(ctx context.Context, sc *scope, fn func(context.Context) error, o *options, from site, savepoint bool) (kept bool, err error) {
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, ErrTimeout)
		defer cancel()
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
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
	err = fn(b.tx.gate.with(ctx, &scope{block: inner, session: sc.session, outer: sc.outer}))
	returned = true
	return inner.endNested(ctx, err)
}

// enter opens a block inside b. Nothing is sent.
func (b *block) enter(ctx context.Context, o *options, from site, savepoint bool) (*block, error) {
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(b); err != nil {
		return nil, err
	}
	inner := &block{parent: b, opts: o, site: from, ctx: ctx}
	t.push(inner, savepoint)
	return inner, nil
}
