package block

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// classify is the one place where an error of the driver becomes a
// *dialect.Error.
func (x *Executor) classify(err error) *dialect.Error {
	var e *dialect.Error
	if errors.As(err, &e) {
		return e
	}
	e = x.name(err)
	if errors.Is(e.Err, driver.ErrBadConn) {
		// database/sql runs a call again that ends with ErrBadConn: an error
		// that passes through it must not match that (rule S6).
		hidden := *e
		hidden.Err = errors.New(e.Err.Error())
		e = &hidden
	}
	return e
}

func (x *Executor) name(err error) *dialect.Error {
	var refused *connectError
	if errors.As(err, &refused) {
		inner := backend.Classify(x.db, refused.error)
		named := *inner
		named.Kind, named.NotSent = dialect.ErrConnectionLost, true
		named.Message = "no connection could be opened: " + inner.Message
		return &named
	}
	return backend.Classify(x.db, err)
}

// endedIn reports whether e says that the transaction was ended unseen, and that
// what came before may be committed.
func endedIn(e *dialect.Error) bool {
	var ended *backend.EndedError
	return errors.As(e, &ended) && !ended.RolledBack
}

// isUncertain reports whether the server's answer leaves open what is committed.
func isUncertain(err error) bool {
	var u *backend.UncertainError
	return errors.As(err, &u)
}

// failure wraps what a statement failed with. A ctx that has ended is the cause
// whatever the driver made of it: context.Cause(ctx) is then in the chain.
func (x *Executor) failure(ctx context.Context, b *block, st Statement, err error) *atomic.FailedError {
	f := &atomic.FailedError{Statement: x.shown(st)}
	if b != nil {
		f.Block = b.Info()
	}
	e := x.classify(err)
	switch {
	case !hasEnded(ctx):
		f.Err = e
	case e.Kind == nil && e.Code == "" || e.Kind == dialect.ErrConnectionLost || e.Kind == dialect.ErrQueryCanceled:
		f.Err = &interrupted{cause: causeOf(ctx), err: e}
	default:
		f.Err = e
	}
	return f
}

// hasEnded reports whether ctx has ended. A driver turns ctx's deadline into one
// of the socket, which passes a moment before ctx itself notices.
func hasEnded(ctx context.Context) bool {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond): // a ctx of somebody's own may never say so
		}
	}
	return ctx.Err() != nil
}

// causeOf is why ctx has ended. Somebody else's wish to roll back is no wish of fn's:
// an error that fn hands on must not be taken for its own (rule B20).
func causeOf(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, atomic.Rollback) {
		return &atomic.BlockError{Reason: "ctx was cancelled with atomic.Rollback as its cause, which is for fn to return", Err: ctx.Err()}
	}
	return cmp.Or(cause, ctx.Err()) // a ctx of somebody's own may have no cause
}

// unsent is the failure of a statement that ctx kept from being sent.
func (x *Executor) unsent(ctx context.Context, b *block, st Statement) *atomic.FailedError {
	f := &atomic.FailedError{Statement: x.shown(st), Err: causeOf(ctx)}
	if b != nil {
		f.Block = b.Info()
	}
	return f
}

// interrupted is a statement that an ended ctx cut off.
type interrupted struct {
	cause error
	err   *dialect.Error
}

func (i *interrupted) Error() string   { return i.cause.Error() }
func (i *interrupted) Unwrap() []error { return []error{i.cause, i.err} }

// outcome is the error of a statement outside any block. If it may have reached
// the server and no answer came, nobody knows whether it was applied (rule S6).
func (x *Executor) outcome(ctx context.Context, st Statement, err error) error {
	f := x.failure(ctx, nil, st, err)
	e := x.classify(err)
	if open := (*backend.LeftOpenError)(nil); errors.As(err, &open) {
		return &atomic.BlockError{Kind: atomic.ErrUncommitted, Reason: "what the statement did is not kept, unless it has committed it itself", Err: f}
	}
	reason := "it was sent and no answer came; look before repeating it"
	if isUncertain(err) {
		reason = "the server's answer does not say whether it was carried out; look before repeating it"
	} else if e.Kind != dialect.ErrConnectionLost || e.NotSent {
		return f
	}
	if x.reads(st) {
		return f
	}
	x.seen(ctx).lose()
	return &atomic.BlockError{Kind: atomic.ErrOutcomeUnknown, Reason: reason, Err: f}
}

// shown is what errors show of a statement. The library's own builder writes no
// value into a text; bun does, and so may a caller.
func (x *Executor) shown(st Statement) string {
	if st.Built {
		return st.SQL
	}
	return backend.Syntax(x.db.Server).Redact(st.SQL)
}
