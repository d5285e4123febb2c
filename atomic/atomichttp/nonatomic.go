package atomichttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/holdfast-go/holdfast/atomic"
)

// NonAtomic takes a handler out of the middleware around it, out of all of them where one is
// inside another (rule W8): each of its statements commits by itself, blocks that it opens are
// its own, and what it writes reaches the client at once, by the writer that the outermost
// was given: middleware in between that has a writer of its own does not see it. It is for streams, server-sent
// events, connections that are hijacked, responses of any size.
//
// Its ctx has the values that it would have had, and ends with the request or with a limit
// that middleware in between has set: the Timeout of the request's block, from Block or
// from orm.WithBlock, is not its own. A deadline in between that is later than that
// Timeout is lost with it, since the context package forgets the later of two.
//
// The block of the request, if something was sent in it before, ends when the handler has,
// or at its Timeout.
// A request with an Idempotency-Key is refused with 500: have it go round the middleware
// by When and Off.
func NonAtomic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x, ok := r.Context().Value(exchangeKey{}).(*exchange)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		if err := x.notPassed(); err != nil {
			for ; x != nil; x = x.outer {
				x.err = err
			}
			return
		}
		ctx, outermost, cancel := x.pass(r.Context(), r.Context())
		defer cancel()
		replace(outermost.real.Header(), w.Header()) // of middleware in between
		err := x.outside(ctx, 0, func(ctx context.Context) {
			next.ServeHTTP(outermost.real, r.WithContext(context.WithValue(ctx, exchangeKey{}, nil)))
		})
		if err != nil {
			x.config.log().ErrorContext(r.Context(), "holdfast: a handler could not be taken out of its block", "error", err)
			outermost.config.onError(outermost.real, r, err)
		}
	})
}

// pass takes a handler out of x and those around it, the outermost of which it returns with
// a ctx without their limits. within is the handler's own.
func (x *exchange) pass(ctx, within context.Context) (context.Context, *exchange, context.CancelFunc) {
	x.passed, x.unsent = true, x.nothingSent(within)
	free, cancel := x.unlimited(ctx)
	if x.outer == nil {
		return free, x, cancel
	}
	freer, outermost, around := x.outer.pass(free, within)
	return freer, outermost, func() { around(); cancel() }
}

// notPassed is what keeps a handler from being taken out of the block.
func (x *exchange) notPassed() error {
	for ; x != nil; x = x.outer {
		if x.key != "" {
			return errors.Join(ErrNotHeld, errors.New("the handler is NonAtomic, and the request has an Idempotency-Key: use When and Off"))
		}
	}
	return nil
}

// nothingSent reports whether the request's blocks are empty so far.
func (x *exchange) nothingSent(ctx context.Context) bool {
	for _, d := range x.config.databases {
		if !d.db.Executor().Unsent(ctx) {
			return false
		}
	}
	return true
}

// outside runs fn outside the blocks of all databases from one on, and of the middlewares
// around this one: first out of the request's own, which may run out of its Timeout, and
// then out of what is around that.
func (x *exchange) outside(ctx context.Context, from int, fn func(context.Context)) error {
	switch {
	case from < len(x.config.databases):
	case x.outer != nil:
		return x.outer.outside(ctx, 0, fn)
	default:
		fn(ctx)
		return nil
	}
	db := x.config.databases[from].db
	return atomic.Do(db.Executor().Detach(ctx, x.request.Context()), db, func(ctx context.Context) error {
		return x.outside(ctx, from+1, fn)
	}, atomic.Propagation(atomic.Suspended))
}

// unlimited is ctx, the handler's, without the Timeout of the request's blocks.
func (x *exchange) unlimited(ctx context.Context) (context.Context, context.CancelFunc) {
	request, block := x.request.Context(), x.inner
	if block.Done() == request.Done() { // there is none
		return ctx, func() {}
	}
	var free context.Context = freed{request, context.WithoutCancel(ctx)}
	if ctx.Done() == block.Done() {
		return free, func() {}
	}
	// Middleware in between has a limit. What ends ctx while the block goes on is that.
	undated := func() {}
	if own, ok := ctx.Deadline(); ok {
		if blocks, ok := block.Deadline(); !ok || own.Before(blocks) {
			free, undated = context.WithDeadline(free, own)
		}
	}
	free, cancel := context.WithCancelCause(free)
	unwatch := context.AfterFunc(ctx, func() {
		if block.Err() == nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) { // a deadline is kept above
			cancel(context.Cause(ctx))
		}
	})
	return free, func() {
		unwatch()
		cancel(nil)
		undated()
	}
}

// freed ends with one ctx and has the values of another.
type freed struct {
	context.Context
	values context.Context
}

// Value implements context.Context.
func (f freed) Value(key any) any { return f.values.Value(key) }

// AfterFunc is what package context asks for, so that a ctx below needs no goroutine.
func (f freed) AfterFunc(do func()) (stop func() bool) {
	return context.AfterFunc(f.Context, do)
}
