package block

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block/state"
)

// cleanupTimeout bounds ROLLBACK, which never uses the caller's ctx (rule B11).
// If it runs out the connection is closed, which rolls back as well.
const cleanupTimeout = 5 * time.Second

// endNested ends a nested block. Nothing is sent: what has to be said travels
// with the next statement.
func (b *block) endNested(how state.Return) (kept bool, result error) {
	t := b.tx
	t.connMu.lock()
	defer t.connMu.unlock()
	if !b.Ended() { // else they are those of another block in its place
		t.closeRows(b.Depth(), b.outlived)
	}
	return b.EndNested(how)
}

// returned is what is known when fn has returned err.
func (t *transaction) returned(ctx context.Context, err error) state.Return {
	r := state.Return{Err: err, Closed: t.executor.closed.Load()}
	if ctx.Err() != nil {
		r.Ctx, r.Shared = causeOf(ctx), errors.Is(context.Cause(ctx), atomic.Rollback)
	}
	return r
}

// byHand is what is known when a transaction is ended by a call: what that wants is
// nobody else's wish, whatever ctx says.
func (t *transaction) byHand(ctx context.Context, how error) state.Return {
	r := t.returned(ctx, how)
	r.Shared = false
	return r
}

// closeRows ends a result that a block of this depth, or one inside it, has left open, so
// that the connection is free; those of a block around it go on. An error in the part that
// nobody read fails the block, and whoever reads on is told why. It needs connMu.
func (t *transaction) closeRows(depth int, why func() error) {
	t.mu.Lock()
	rows := t.rows
	if rows != nil && rows.depth < depth {
		rows = nil
	}
	t.mu.Unlock()
	if rows != nil {
		rows.cutOff(why())
	}
}

func (b *block) outlived() error {
	return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrBlockClosed, Reason: "the block has ended before its rows were read"}
}

// ending is how a transaction ended.
type ending uint8

const (
	rolledBack ending = iota
	committed
	unknown
)

// end ends the outermost block.
func (t *transaction) end(ctx context.Context, r state.Return) (ending, error) {
	how, err := t.conclude(ctx, r)
	return how, t.runHooksAfter(how, err)
}

// conclude is end without the hooks.
func (t *transaction) conclude(ctx context.Context, r state.Return) (how ending, result error) {
	t.connMu.lock()
	t.closeRows(t.root.Depth(), t.root.outlived)
	end := t.state.End(r)
	if end.Expired {
		how, result = t.unlessEnded(rolledBack, end.Result)
		t.remember(ctx, how)
		t.connMu.unlock()
		return how, result
	}
	t.stopIdle()
	result = end.Result
	switch {
	case end.Was == state.Unsent && end.Keep:
		how = committed
	case end.Keep:
		t.tells()
		how, result = t.commit(ctx, end.Before, end.Restore)
	case end.Was == state.Begun || end.Was == state.Lost:
		t.rollback(ctx, end.Was, end.Restore)
	}
	how, result = t.unlessEnded(how, result)
	t.mu.Lock()
	t.ended = how
	t.mu.Unlock()
	if end.Keep && end.Was != state.Unsent || how == unknown {
		t.remember(ctx, how)
	}
	if end.Was == state.Unsent && end.WaitSet {
		t.putBack(end.Restore) // a limit was set before BEGIN, which then failed
	}
	t.leave()
	t.connMu.unlock()
	return how, result
}

// abandon rolls the block back because fn panicked or ended its goroutine
// (rule B3).
func (b *block) abandon(ctx context.Context) {
	gone := &atomic.BlockError{Block: b.Info(), Reason: "fn panicked or called runtime.Goexit"}
	if !b.Outermost() {
		_, _ = b.endNested(b.tx.returned(ctx, gone))
		return
	}
	_, _ = b.tx.end(ctx, b.tx.returned(ctx, gone))
}

// commit sends COMMIT, which ctx does not cancel (rule B11). restore goes behind a ROLLBACK in
// its place: what prefix would have put back may not have been.
func (t *transaction) commit(ctx context.Context, prefix, restore []string) (ending, error) {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.executor.settings.commitTimeout())
	defer cancel()
	wire := t.conn.wire
	b := t.root
	resolve := b.Opts.Resolve
	token := ""
	if resolve && t.mayHaveWritten() && !b.Opts.ReadOnly {
		var err error
		token, prefix, err = t.executor.db.Engine.Resolver().Prepare(limit, wire, prefix)
		if err != nil {
			t.rollback(ctx, state.Begun, restore)
			t.conn.dirty = true
			e := t.executor.classify(err)
			t.saw(e)
			return rolledBack, &atomic.BlockError{Block: b.Info(), Reason: "ResolveCommit could not mark the transaction, so it was rolled back", Err: e}
		}
	}
	err := t.sendCommit(limit, wire, prefix)
	if err == nil { // B1
		return committed, nil
	}
	e := t.executor.classify(err)
	t.saw(e)
	if endedIn(e) {
		t.rollback(ctx, state.Lost, restore)
		return unknown, e
	}
	if t.answered(err) { // B25
		switch {
		case !wire.Idle():
			t.rollback(ctx, state.Begun, restore)
		case t.session != nil && refusedControl(err): // perhaps it came in front of what puts back
			t.putBack(restore)
		}
		// After a failed COMMIT nobody vouches for the session.
		t.conn.dirty = true
		return rolledBack, &atomic.BlockError{Block: b.Info(), Reason: "COMMIT failed; the block was rolled back", Err: e}
	}
	t.conn.dirty = true
	if b.Opts.ReadOnly || token == "" && (resolve || !t.mayHaveWritten()) {
		// Nothing can have been written. What was read may have turned out not to be
		// serializable, so it is no success either.
		t.keptNothing()
		return rolledBack, &atomic.BlockError{Block: b.Info(), Reason: "the connection was lost at the end of a block that has written nothing", Err: e}
	}
	lost := &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrCommitUnknown, Reason: unanswered, Err: e} // B12
	if !resolve {
		lost.Reason += ", or use ResolveCommit"
		return unknown, lost
	}
	// The old connection must not keep the transaction waiting for us.
	t.drop().discard()
	if t.session != nil {
		t.session.lose(e)
	}
	done, resolveErr := t.executor.resolve(ctx, token)
	switch {
	case resolveErr != nil:
		lost.Err = errors.Join(e, fmt.Errorf("ResolveCommit: %w", resolveErr))
		return unknown, lost
	case done:
		return committed, nil
	}
	t.keptNothing()
	return rolledBack, &atomic.BlockError{Block: b.Info(), Reason: "the connection was lost at COMMIT and the block was rolled back", Err: e}
}

// unanswered does not say that there was none: the server may have answered that
// it does not know itself.
const unanswered = "COMMIT was sent and no answer came that says what became of it; look before doing the work again"

func (t *transaction) keptNothing() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.nothingKept = true
}

// rollback sends ROLLBACK where there is something to roll back and somebody
// to hear it.
func (t *transaction) rollback(ctx context.Context, was state.Phase, suffix []string) {
	if t.conn == nil || !t.conn.wire.Alive() {
		return
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if was == state.Begun && t.state.Guarded() && !t.guardHolds {
		if _, err := t.conn.wire.Exec(limit, nil, state.GuardHolds, nil); err != nil {
			t.saw(t.executor.classify(&backend.EndedError{RolledBack: rolledBackIn(err), Err: err}))
		}
	}
	err := t.conn.wire.Rollback(limit, suffix)
	if ended := (*backend.EndedError)(nil); errors.As(err, &ended) {
		t.saw(t.executor.classify(err))
	}
	if cause := t.root.Cause(); err != nil || t.wasEnded() || was == state.Lost && refusedControl(cause) && !t.claimRefused(cause) {
		t.conn.dirty = true
	}
}

// unlessEnded is how the block ended and what Do returns (rule B8), provided that nothing in
// it has ended the transaction unseen.
func (t *transaction) unlessEnded(how ending, result error) (ending, error) {
	if !t.wasEnded() {
		return how, result
	}
	if result == nil {
		result = t.root.Cause()
	}
	return unknown, &atomic.BlockError{Block: t.root.Info(), Kind: atomic.ErrTransactionEnded, Err: result,
		Reason: "what came before that statement is committed, unless it was a ROLLBACK that ended the transaction; look before doing the work again"}
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
	if t.unhold != "" && t.session != nil {
		t.afterwards = append(t.afterwards, t.unhold)
	}
	t.putBack(t.afterwards)
	if around := t.around(); around != nil {
		around.mu.Lock()
		around.aside = slices.DeleteFunc(around.aside, func(o *transaction) bool { return o == t })
		around.mu.Unlock()
	}
	conn := t.drop()
	defer t.executor.keys.settle(t)
	switch {
	case t.session != nil:
		t.session.takeBack(t, conn)
	case conn != nil:
		conn.giveBack()
	}
}
