package state

import (
	"errors"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/atomic"
)

// A Return is what is known when fn has returned.
type Return struct {
	Err    error // of fn
	Ctx    error // why the ctx of the block has ended, or nil
	Shared bool  // that is atomic.Rollback: fn may hand it on without a wish of its own
	Closed bool  // the database was closed meanwhile
}

// asks reports whether err is fn's own wish to roll back, and nothing besides
// (rule B20): not one that somebody else had, whose error fn hands on.
func asks(err error) bool {
	if err == atomic.Rollback {
		return true
	}
	switch e := err.(type) { //nolint:errorlint // it goes through the chain itself, and stops where that is somebody else's
	case *atomic.BlockError, *atomic.FailedError, *atomic.HookError:
		return false
	case interface{ Unwrap() error }:
		return asks(e.Unwrap())
	case interface{ Unwrap() []error }:
		all := e.Unwrap()
		return len(all) > 0 && !slices.ContainsFunc(all, func(err error) bool { return !asks(err) })
	}
	return false
}

// verdict decides what becomes of b, and what Do returns if nothing else goes
// wrong.
func (b *Block) verdict(r Return) (keep bool, result error) {
	asked := asks(r.Err)
	if asked && r.Shared {
		asked, r.Err = false, r.Ctx
	}
	switch {
	case asked:
		return false, nil // B20
	case r.Err != nil && r.Ctx != nil && !errors.Is(r.Err, r.Ctx):
		return false, b.withCause(&hiddenCause{error: r.Err, cause: r.Ctx}) // B2, B11
	case r.Err != nil:
		return false, b.withCause(r.Err) // B2
	case b.undo:
		return false, nil // B20
	case r.Ctx != nil:
		return false, b.withCause(&atomic.BlockError{Block: b.Info(), Reason: "ctx ended before fn returned nil; the block was rolled back", Err: r.Ctx}) // B11
	case r.Closed:
		return false, &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrRollbackRequired, Reason: "the database was closed while the block was in progress", Err: b.cause}
	case b.state == failed:
		return false, &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrRollbackRequired, // B6
			Reason: "fn returned nil although " + b.whatFailed() + "; the block was rolled back", Err: b.cause}
	}
	return true, nil
}

// whatFailed says what b.cause is the failure of.
func (b *Block) whatFailed() string {
	if _, statement := b.cause.(*atomic.FailedError); statement { //nolint:errorlint // not that of a block inside it
		return "a statement of the block had failed"
	}
	return "a block that had joined it had failed"
}

// withCause adds what failed the block to the error of fn, unless it is in
// there already: fn may have hidden it, and nothing is swallowed.
func (b *Block) withCause(err error) error {
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

// EndNested ends a nested block: its part goes over to the block around it, or
// is undone, after which that one is as it was (rules B4 and B7).
func (b *Block) EndNested(r Return) (kept bool, result error) {
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.state == ended {
		return false, b.afterExpiry(r)
	}
	r.Err = t.discardUnfinished(b, r.Err)
	kept, result = b.verdict(r)
	if kept {
		t.keep(b)
		return true, nil
	}
	cause := result
	if cause == nil {
		// Not Rollback itself: an error that a function hands on must not be
		// taken for its own wish to roll back.
		cause = &atomic.BlockError{Block: b.Info(), Reason: "the joined block asked for a rollback", Err: b.cause}
	}
	t.discard(b, cause)
	return false, result
}

// An End is what is left to be done for an outermost block that has ended.
type End struct {
	Keep    bool     // COMMIT is wanted
	Result  error    // what Do returns if nothing else goes wrong
	Expired bool     // a time limit was faster: there is nothing left to do
	Was     Phase    // where the transaction stood
	Before  []string // what goes in front of COMMIT
	Restore []string // puts the session back as it was
	WaitSet bool     // a limit on waiting is in force
}

// End ends the outermost block, and the transaction.
func (t *Transaction) End(r Return) End {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.root
	if b.state == ended {
		return End{Result: b.afterExpiry(r), Expired: true}
	}
	r.Err = t.discardUnfinished(b, r.Err)
	end := End{Was: t.phase, Before: t.beforeCommit(), Restore: t.restores(), WaitSet: t.wait != nil}
	end.Keep, end.Result = b.verdict(r)
	t.finish()
	return end
}

// discardUnfinished undoes the blocks that are still in progress inside b, on
// another goroutine, when b ends. That is an error of b's if fn returned none.
func (t *Transaction) discardUnfinished(b *Block, err error) error {
	for t.top() != b {
		inner := t.top()
		if t.endOver(inner) {
			continue
		}
		advice := "wait for its goroutine"
		if inner.Opts.ByHand {
			advice = "a transaction of db.SQL() needs its Commit or Rollback"
		}
		late := &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrOuterContext,
			Reason: inner.Info().String() + " was still in progress when this block ended; " + advice}
		if err == nil {
			err = late
		}
		inner.cause = late
		t.discard(inner, late)
	}
	return err
}

// endOver undoes a block that has ended by itself, and reports whether b was one.
func (t *Transaction) endOver(b *Block) bool {
	why := b.Over()
	if why == nil {
		return false
	}
	cause := &atomic.BlockError{Block: b.Info(), Reason: "its ctx ended, and it was rolled back", Err: why}
	t.fail(b, cause)
	t.discard(b, cause)
	return true
}

// Over is why b has ended by itself, or nil.
func (b *Block) Over() error {
	if b.Opts.Over == nil {
		return nil
	}
	return b.Opts.Over()
}

// Delayed reports whether a block inside b has ended by itself, and nobody has told yet.
func (b *Block) Delayed() bool {
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	return b.state != ended && t.top() != b && t.top().Over() != nil
}

// GoOn undoes the blocks inside b that have ended by themselves. Nobody sends meanwhile.
func (b *Block) GoOn() {
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	for b.state != ended && t.top() != b && t.endOver(t.top()) {
	}
}

// afterExpiry is what a block returns that a time limit, or its outer block,
// has ended before it.
func (b *Block) afterExpiry(r Return) error {
	if r.Err != nil && !asks(r.Err) {
		return b.withCause(r.Err)
	}
	return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrBlockClosed, Reason: "the block was ended before fn returned; its work is rolled back", Err: b.cause}
}

// Expire ends every block before fn has returned. done is false if the
// transaction was over already.
func (t *Transaction) Expire(why error) (was Phase, restore []string, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase == Over {
		return Over, nil, false
	}
	t.expired = true
	cause := &atomic.BlockError{Block: t.root.Info(), Reason: "rolled back before fn returned", Err: why}
	for _, b := range t.stack {
		t.fail(b, cause)
	}
	was, restore = t.phase, t.restores()
	t.finish()
	t.dropped, t.kept = append(t.dropped, t.kept...), nil
	return was, restore, true
}

// Forget ends a transaction in which nothing was sent.
func (t *Transaction) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finish()
}

// keep hands the part of a nested block over to the block around it.
func (t *Transaction) keep(b *Block) {
	if b.point != nil {
		t.release(b.point)
	}
	b.parent.hooks = append(b.parent.hooks, b.hooks...)
	t.pop(b)
}

// discard undoes the part of a nested block. One that had joined has no part of
// its own: the block around it can only roll back (rule B5).
func (t *Transaction) discard(b *Block, cause error) {
	t.dropped = append(t.dropped, b.hooks...)
	if b.point != nil {
		if t.phase == Begun {
			t.rollbackTo(b.point)
		}
		t.release(b.point)
	} else {
		t.fail(b.parent, cause)
	}
	t.pop(b)
}

func (t *Transaction) pop(b *Block) {
	b.state, b.hooks = ended, nil
	t.stack = t.stack[:len(t.stack)-1]
}

// finish ends every block and the transaction.
func (t *Transaction) finish() {
	t.kept = t.root.hooks
	for i, b := range t.stack {
		if i > 0 { // left behind by a goroutine: its part goes down with the transaction
			t.dropped = append(t.dropped, b.hooks...)
		}
		b.state, b.hooks = ended, nil
	}
	t.phase = Over
}
