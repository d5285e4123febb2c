package atomichttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/holdfast-go/holdfast/atomic"
)

// NonAtomic takes a handler out of the middleware around it (rule W8): each of its
// statements commits by itself, blocks that it opens are its own, and what it writes
// reaches the client at once, by the writer that the middleware was given: middleware in
// between that has a writer of its own does not see it. It is for streams, server-sent events, connections that
// are hijacked, responses of any size.
//
// The block of the request, if something was sent in it before, ends when the handler has.
// A request with an Idempotency-Key is refused with 500: have it go round the middleware
// by When and Off.
func NonAtomic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x, ok := r.Context().Value(exchangeKey{}).(*exchange)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		if x.key != "" {
			x.err = errors.Join(ErrNotHeld, errors.New("the handler is NonAtomic, and the request has an Idempotency-Key: use When and Off"))
			return
		}
		x.passed = true
		replace(x.real.Header(), w.Header()) // of middleware in between
		err := x.outside(r.Context(), 0, func(ctx context.Context) {
			next.ServeHTTP(x.real, r.WithContext(context.WithValue(ctx, exchangeKey{}, nil)))
		})
		if err != nil {
			x.config.log().ErrorContext(r.Context(), "holdfast: a handler could not be taken out of its block", "error", err)
			x.config.onError(x.real, r, err)
		}
	})
}

// outside runs fn outside the blocks of all databases from one on.
func (x *exchange) outside(ctx context.Context, from int, fn func(context.Context)) error {
	if from == len(x.config.databases) {
		fn(ctx)
		return nil
	}
	return atomic.Do(ctx, x.config.databases[from].db, func(ctx context.Context) error {
		return x.outside(ctx, from+1, fn)
	}, atomic.Propagation(atomic.Suspended))
}
