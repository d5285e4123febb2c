package atomichttp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/holdfast-go/holdfast/atomic"
)

// Middleware runs handlers in blocks of db: begin, the handler, COMMIT, and then the
// response. One block is open for each request, from the first statement of its handler
// to its end; nothing is sent for a handler that sends nothing.
//
// Inside another Middleware of the same database it opens a nested block, and its
// response waits for the outer one's COMMIT. Inside that of another database its own is
// committed first, as with [Also].
func Middleware(db atomic.DB, opts ...Option) func(http.Handler) http.Handler {
	c := newConfig(db, opts)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if own := c.of(r); own.off {
				next.ServeHTTP(w, r)
			} else {
				serve(own, next, w, r)
			}
		})
	}
}

// exchange is one request and its response.
type exchange struct {
	response
	outer    *exchange // of another Middleware around this one; nil: there is none
	next     http.Handler
	request  *http.Request
	attempts int
	body     *kept // nil: it is read as it comes
	sent     bool
	ended    bool            // without a panic
	inner    context.Context // of the blocks, as the handler gets it
	// passed: a handler in NonAtomic has answered by itself. unsent: when it began,
	// nothing was sent in the request's blocks, so that nothing is lost with them.
	passed, unsent bool
	// partly: one of several databases is committed, and something was done there. unsure:
	// why nobody knows whether one is.
	partly    bool
	unsure    error
	key       string // of Idempotent; "": the request has none
	untouched untouched
}

// exchangeKey is the key of an exchange in the ctx of its request.
type exchangeKey struct{}

func serve(c *config, next http.Handler, w http.ResponseWriter, r *http.Request) {
	x := &exchange{response: response{config: c, real: w}, next: next, request: r}
	x.outer, _ = r.Context().Value(exchangeKey{}).(*exchange)
	defer x.end()
	err := c.misuse
	if err == nil {
		err = x.prepare()
	}
	if err != nil {
		x.fail(err)
		return
	}
	if x.key != "" && !x.claimed() {
		x.once()
	} else {
		err := x.partlyDone(atomic.Do(r.Context(), c.databases[0].db, x.open, x.options(0)...))
		x.conclude(err)
		x.tellAround(err)
	}
	x.ended = true
}

// tellAround tells the middlewares around this one what was done here, in a database that is
// not theirs, or may have been: they must not have it done again.
func (x *exchange) tellAround(err error) {
	for at := x.outer; at != nil; at = at.outer {
		at.partly = at.partly || x.partly || x.inner != nil && x.config.databases[0].db.Executor().Worked(x.inner)
		if at.unsure == nil && isUnsure(err) {
			at.unsure = err
		}
	}
}

// claimed reports whether a middleware around this one has taken the request's key, in the
// same database: this block is a part of what is done for it.
func (x *exchange) claimed() bool {
	for at := x.outer; at != nil; at = at.outer {
		if at.key == x.key && at.config.databases[0].db.Executor() == x.config.databases[0].db.Executor() {
			return true
		}
	}
	return false
}

func (x *exchange) options(database int) []atomic.Option {
	which := 0
	if x.repeatable() {
		which = 1
	}
	if x.config.safe && isSafe(x.request.Method) {
		which += 2
	}
	return x.config.blocks[database][which]
}

// isSafe reports whether a method is one that changes nothing (RFC 9110, section 9.2.1).
func isSafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// after tidies up behind a handler, whose request is another than the one that net/http
// and those around know of.
func (x *exchange) after(inner *http.Request) {
	if inner.MultipartForm != nil && x.request.MultipartForm == nil { // else it is of who has parsed it
		_ = inner.MultipartForm.RemoveAll()
	}
	x.request.Pattern = inner.Pattern
}

// open is what runs in the block of the middleware's own database.
func (x *exchange) open(ctx context.Context) error {
	x.attempts++
	if x.attempts > 1 && (x.passed || x.partly || x.unsure != nil || !x.repeatable()) {
		return errors.Join(errOnlyOnce, x.unsure)
	}
	if x.config.first {
		if err := atomic.OnCommit(ctx, x.config.databases[0].db, x.respondNow); err != nil {
			return err
		}
	}
	return x.inside(ctx, 1)
}

// end is how an exchange ends, also where a hook of the committed block has panicked: its
// work is done, and that is answered before the panic goes on, and ends the connection.
func (x *exchange) end() {
	defer x.close()
	if !x.ended && !x.sent && !x.passed && x.inner != nil && x.config.databases[0].db.Executor().Committed(x.inner) {
		_ = x.respondNow(x.request.Context())
	}
}

// inside runs the handler in a block of each database from one on.
func (x *exchange) inside(ctx context.Context, from int) error {
	if from == len(x.config.databases) {
		return x.attempt(ctx)
	}
	db := x.config.databases[from].db
	worked := func() bool { return false }
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		worked = func() bool { return db.Executor().Worked(ctx) }
		return x.inside(ctx, from+1)
	}, x.options(from)...)
	if isCommitted(err) {
		x.config.log().ErrorContext(ctx, "holdfast: a hook of a committed request failed", "error", err)
		err = nil
	}
	x.partly = x.partly || worked() // not so where its block is inside another
	if x.unsure == nil && isUnsure(err) {
		x.unsure = err
	}
	return err
}

// isUnsure reports whether err leaves it open what became of its block.
func isUnsure(err error) bool {
	return errors.Is(err, atomic.ErrCommitUnknown) || errors.Is(err, atomic.ErrTransactionEnded) || errors.Is(err, atomic.ErrOutcomeUnknown)
}

// partlyDone says of an error that a part of the work is committed.
func (x *exchange) partlyDone(err error) error {
	if err != nil && x.partly && !isCommitted(err) {
		return errors.Join(ErrPartlyCommitted, err)
	}
	return err
}

// isCommitted reports whether err is only that of a hook.
func isCommitted(err error) bool {
	if err == nil {
		return false
	}
	var hook *atomic.HookError
	return errors.As(err, &hook) && hook.Committed
}

// attempt runs the handler once. What it returns is what the block makes of it.
func (x *exchange) attempt(ctx context.Context) error {
	x.reset()
	x.inner = ctx
	inner := x.fresh(ctx)
	if x.body != nil {
		inner.Body = x.body.again()
	}
	defer x.after(inner)
	x.next.ServeHTTP(&x.response, inner)
	switch {
	case x.err != nil:
		return x.err
	case x.passed || x.config.commitOn(x.said()):
		return nil
	}
	return errUndo
}

// conclude answers, now that the block has ended with err.
func (x *exchange) conclude(err error) {
	switch {
	case x.passed && x.unsent && errors.Is(err, atomic.ErrTimeout): // of an empty block, which a stream has outlived
		return
	case x.sent || x.passed:
		if err != nil && !errors.Is(err, errUndo) {
			level := slog.LevelError
			if x.passed && x.request.Context().Err() != nil { // its client has left a stream
				level = slog.LevelDebug
			}
			x.config.log().Log(x.request.Context(), level, "holdfast: after the response was sent", "error", err)
		}
		return
	case isCommitted(err): // what is committed is answered
		x.config.log().ErrorContext(x.request.Context(), "holdfast: a hook of a committed request failed", "error", err)
	case err != nil && (!errors.Is(err, errUndo) || isMore(err)):
		x.fail(err)
		return
	case err != nil:
		if hook := (*atomic.HookError)(nil); errors.As(err, &hook) {
			x.config.log().ErrorContext(x.request.Context(), "holdfast: a hook of a request that was rolled back failed", "error", hook)
		}
	}
	x.respond(x.request.Context())
}

// isMore reports whether err is more than the handler's wish to roll back, which was
// not, or may not have been, granted.
func isMore(err error) bool {
	for _, kind := range []error{errOnlyOnce, atomic.ErrRetriesExhausted, atomic.ErrTransactionEnded} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// respond sends the handler's response, unless it was sent already.
func (x *exchange) respond(ctx context.Context) {
	if x.sent {
		return
	}
	x.sent = true
	if err := x.send(); err != nil { // the client has gone: it will find out by itself
		x.config.log().DebugContext(ctx, "holdfast: a response was not sent to its end", "error", err)
	}
}

// respondNow has the response leave before the handler of net/http has ended. As the hook of
// RespondFirst it runs last inside another middleware, whose response this one has joined.
func (x *exchange) respondNow(ctx context.Context) error {
	if x.sent || x.passed {
		return nil
	}
	x.announce(x.request)
	x.respond(ctx)
	if x.status == 0 {
		x.real.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(x.real).Flush() // who cannot has it leave with the end
	return nil
}

// fail answers in place of the handler.
func (x *exchange) fail(err error) {
	if status := ProblemOf(err).Status; status >= 500 {
		level := slog.LevelError
		if x.request.Context().Err() != nil { // its client has hung up
			level = slog.LevelInfo
		}
		x.config.log().Log(x.request.Context(), level, "holdfast: a request failed", "method", x.request.Method, "path", x.request.URL.Path, "error", err)
	}
	x.config.onError(x.real, x.request, err)
}
