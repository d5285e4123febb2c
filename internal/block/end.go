package block

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// cleanupTimeout bounds ROLLBACK, which never uses the caller's ctx (rule B11).
// If it runs out the connection is closed, which rolls back as well.
const cleanupTimeout = 5 * time.Second

// endNested ends a nested block. Nothing is sent: what has to be said travels
// with the next statement.
func (b *block) endNested(ctx context.Context, err error) (kept bool, result error) {
	t := b.tx
	t.connMu.lock()
	defer t.connMu.unlock()
	t.closeRows(b.depth, b.outlived())
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.state == ended {
		return false, t.afterExpiry(b, err)
	}
	if t.top() != b {
		err = t.discardUnfinished(b, err)
	}
	kept, result = b.verdict(ctx, err)
	if kept {
		t.keep(b)
	} else {
		cause := result
		if cause == nil {
			// Not Rollback itself: an error that a function hands on must not be
			// taken for its own wish to roll back.
			cause = &atomic.BlockError{Block: b.info(), Reason: "the joined block asked for a rollback", Err: b.cause}
		}
		t.discard(b, cause)
	}
	return kept, result
}

// verdict decides what becomes of a block whose fn has returned err, and what
// Do returns if nothing else goes wrong. It needs mu.
func (b *block) verdict(ctx context.Context, err error) (keep bool, result error) {
	switch {
	case err != nil && errors.Is(err, atomic.Rollback):
		return false, nil // B20
	case err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)):
		return false, b.withCause(&hiddenCause{error: err, cause: context.Cause(ctx)}) // B2, B11
	case err != nil:
		return false, b.withCause(err) // B2
	case b.undo:
		return false, nil // B20
	case ctx.Err() != nil:
		return false, b.withCause(context.Cause(ctx)) // B11
	case b.tx.executor.closed.Load():
		return false, &atomic.BlockError{Block: b.info(), Kind: atomic.ErrRollbackRequired, Reason: "the database was closed while the block was in progress", Err: b.cause}
	case b.state == failed:
		return false, &atomic.BlockError{Block: b.info(), Kind: atomic.ErrRollbackRequired, // B6
			Reason: "fn returned nil although a statement of the block had failed; the block was rolled back", Err: b.cause}
	}
	return true, nil
}

// withCause adds what failed the block to the error of fn, unless it is in
// there already: fn may have hidden it, and nothing is swallowed.
func (b *block) withCause(err error) error {
	if b.cause == nil || errors.Is(err, b.cause) {
		return err
	}
	return &hiddenCause{error: err, cause: b.cause}
}

// hiddenCause is fn's own error together with what had ended the block before
// and fn does not tell.
type hiddenCause struct {
	error
	cause error
}

func (h *hiddenCause) Error() string {
	return h.error.Error() + " (before that: " + strings.TrimPrefix(h.cause.Error(), "holdfast: ") + ")"
}
func (h *hiddenCause) Unwrap() []error { return []error{h.error, h.cause} }

// discardUnfinished is the error of a block that ends while one nested in it is still
// in progress on another goroutine.
func (t *transaction) discardUnfinished(b *block, err error) error {
	for t.top() != b {
		inner := t.top()
		late := &atomic.BlockError{Block: b.info(), Kind: atomic.ErrOuterContext,
			Reason: inner.info().String() + " was still in progress when this block ended; wait for its goroutine"}
		if err == nil {
			err = late
		}
		inner.cause = late
		t.discard(inner, late)
	}
	return err
}

// afterExpiry is what a block returns that a time limit, or its outer block,
// has ended before it.
func (t *transaction) afterExpiry(b *block, err error) error {
	if err != nil {
		return b.withCause(err)
	}
	return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrBlockClosed, Reason: "the block was ended before fn returned; its work is rolled back", Err: b.cause}
}

// closeRows ends a result that a block of this depth, or one inside it, has
// left open, so that the connection is free; those of a block around it go on.
// An error in the part that nobody read fails the block, and whoever reads on
// is told why. It needs connMu.
func (t *transaction) closeRows(depth int, why error) {
	t.mu.Lock()
	rows := t.rows
	if rows != nil && rows.depth < depth {
		rows = nil
	}
	t.mu.Unlock()
	if rows != nil {
		rows.cutOff(why)
	}
}

func (b *block) outlived() error {
	return &atomic.BlockError{Block: b.info(), Kind: atomic.ErrBlockClosed, Reason: "the block has ended before its rows were read"}
}

// ending is how a transaction ended.
type ending uint8

const (
	rolledBack ending = iota
	committed
	unknown
)

// end ends the outermost block.
func (b *block) end(ctx context.Context, err error) (how ending, result error) {
	t := b.tx
	t.connMu.lock()
	t.closeRows(b.depth, b.outlived())
	t.mu.Lock()
	if b.state == ended {
		result = t.afterExpiry(b, err)
		t.mu.Unlock()
		t.connMu.unlock()
		return rolledBack, b.runHooksAfter(nil, rolledBack, result)
	}
	if t.top() != b {
		err = t.discardUnfinished(b, err)
	}
	keep, result := b.verdict(ctx, err)
	was := t.phase
	prefix := t.commitPrefix()
	suffix := t.restores()
	hooks := t.finish()
	t.mu.Unlock()

	switch {
	case was == unsent && keep:
		how = committed
	case keep:
		how, result = t.commit(ctx, b, prefix)
	case was == begun || was == lost:
		t.rollback(ctx, was, suffix)
	}
	if was == unsent && t.wait != nil {
		t.putBack(suffix) // a limit was set before BEGIN, which then failed
	}
	t.leave()
	t.connMu.unlock()
	return how, b.runHooksAfter(hooks, how, result)
}

// abandon rolls the block back because fn panicked or ended its goroutine
// (rule B3).
func (b *block) abandon(ctx context.Context) {
	gone := &atomic.BlockError{Block: b.info(), Reason: "fn panicked or called runtime.Goexit"}
	if b.parent != nil {
		_, _ = b.endNested(ctx, gone)
		return
	}
	_, _ = b.end(ctx, gone)
}

// commit sends COMMIT, which ctx does not cancel (rule B11).
func (t *transaction) commit(ctx context.Context, b *block, prefix []string) (ending, error) {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.executor.settings.commitTimeout())
	defer cancel()
	wire := t.conn.wire
	resolve := b.opts.Resolve
	token := ""
	if resolve && t.mayHaveWritten() {
		var more []string
		var err error
		token, more, err = t.executor.db.Engine.Resolver().Prepare(limit, wire)
		if err != nil {
			t.rollback(ctx, begun, nil)
			t.conn.dirty = true
			e := t.executor.classify(err)
			t.saw(e)
			return rolledBack, &atomic.BlockError{Block: b.info(), Reason: "ResolveCommit could not mark the transaction, so it was rolled back", Err: e}
		}
		prefix = append(prefix, more...)
	}
	err := wire.Commit(limit, prefix)
	if err == nil {
		return committed, nil
	}
	e := t.executor.classify(err)
	t.saw(e)
	if t.answered(err) { // B25
		if wire.Alive() && !wire.Idle() {
			t.rollback(ctx, begun, nil)
		}
		// After a failed COMMIT nobody vouches for the session.
		t.conn.dirty = true
		return rolledBack, &atomic.BlockError{Block: b.info(), Reason: "COMMIT failed; the block was rolled back", Err: e}
	}
	t.conn.dirty = true
	none := &atomic.BlockError{Block: b.info(), Kind: atomic.ErrCommitUnknown, // B12
		Reason: "COMMIT was sent and no answer came; look before doing the work again, or use ResolveCommit", Err: e}
	if !resolve {
		return unknown, none
	}
	if token == "" {
		return committed, nil // it wrote nothing, so either outcome is the same
	}
	// The old connection must not keep the transaction waiting for us.
	t.drop().discard()
	done, resolveErr := t.executor.resolve(ctx, token)
	switch {
	case resolveErr != nil:
		none.Err = errors.Join(e, fmt.Errorf("ResolveCommit: %w", resolveErr))
		return unknown, none
	case done:
		return committed, nil
	}
	t.mu.Lock()
	t.resolvedBack = true
	t.mu.Unlock()
	return rolledBack, &atomic.BlockError{Block: b.info(), Reason: "the connection was lost at COMMIT and the block was rolled back", Err: e}
}

// mayHaveWritten is false when every statement was a SELECT of the query
// builder, or the server would have refused anything else.
func (t *transaction) mayHaveWritten() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wrote && !t.root.opts.ReadOnly
}

// resolve asks on connections beside the pool what became of a transaction, until
// one answers or the limit runs out: the server may be on its way back.
func (x *Executor) resolve(ctx context.Context, token string) (done bool, err error) {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), x.settings.commitTimeout())
	defer cancel()
	return backoff.Retry(limit, func() (bool, error) {
		conn, err := x.connectAnyhow(limit)
		if err != nil {
			return false, err
		}
		done, err := x.db.Engine.Resolver().Outcome(limit, conn.wire, token)
		conn.dirty = conn.dirty || err != nil
		conn.giveBack()
		return done, err
	}, backoff.WithBackOff((&retry{}).backoff()), backoff.WithMaxElapsedTime(0))
}

// rollback sends ROLLBACK where there is something to roll back and somebody
// to hear it.
func (t *transaction) rollback(ctx context.Context, was phase, suffix []string) {
	if t.conn == nil || !t.conn.wire.Alive() {
		return
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := t.conn.wire.Rollback(limit, suffix); err != nil || was == lost && refusedControl(t.root.cause) {
		t.conn.dirty = true
	}
}

// refusedControl reports whether a control statement failed: what it had begun
// to change in the session is then not known.
func refusedControl(err error) bool {
	var p *backend.PrefixError
	return errors.As(err, &p)
}

// putBack sends what leaves the session as it was before the transaction, which
// has ended.
func (t *transaction) putBack(statements []string) {
	last := len(statements) - 1
	if last < 0 || t.conn == nil || !t.conn.wire.Alive() {
		return
	}
	limit, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	if _, err := t.conn.wire.Exec(limit, statements[:last], statements[last], nil); err != nil {
		t.conn.dirty = true // closing it gives everything back
	}
}

// leave gives the connection back, unless a session keeps it.
func (t *transaction) leave() {
	t.putBack(t.afterwards)
	if around := t.around(); around != nil {
		around.mu.Lock()
		around.aside = slices.DeleteFunc(around.aside, func(o *transaction) bool { return o == t })
		around.mu.Unlock()
	}
	conn := t.drop()
	switch {
	case t.session != nil:
		t.session.takeBack(t, conn)
	case conn != nil:
		conn.giveBack()
	}
}
