package block

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block/state"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// A key of atomic.Once is a row, which the block that runs for it writes first and
// completes last, in its own transaction: so the row is there if and only if what the
// block did is, and while it is in progress its lock keeps everybody else away. Of a
// process that dies the server rolls the row back with the rest.

// onceRun is one call of Once.
type onceRun struct {
	*seam.Once
	executor *Executor
	fn       func(context.Context) ([]byte, error)
	from     seam.Site
	info     atomic.BlockInfo // of the block, or of that which is to be
	id, what []byte           // the key's and the fingerprint's
	deadline time.Time
	late     string // the control statement that claims the key with fn's first; "": it was claimed before

	// Of the last attempt.
	block   *block
	claimed bool
	answer  *seam.Answer
	unsure  bool  // the server's synchronous standby may not have the answer
	failure error // of fn, that is kept
}

// Once implements seam.Executor.
func (x *Executor) Once(ctx context.Context, fn func(context.Context) ([]byte, error), once *seam.Once, o *seam.Options, from seam.Site) (*seam.Answer, error) {
	r := &onceRun{Once: once, executor: x, fn: fn, from: from, id: digits(once.ID), what: digits(once.Fingerprint), deadline: time.Now().Add(once.Wait)}
	around, err := x.around(ctx, o)
	if err != nil {
		return nil, err
	}
	r.info = state.Info(o, 1, &r.from)
	if once.Late && around == nil {
		r.late = x.db.Engine.Once().Late(once.ID, once.Fingerprint, once.Keep)
	}
	if len(once.Errors) > 0 {
		if err := x.db.Server.Require(dialect.Savepoint); err != nil {
			return nil, err
		}
	}
	pause := (*retry)(&seam.Retry{}).backoff()
	for attempts := 1; ; attempts++ {
		if o.Err == nil {
			if err := r.wait(ctx, around); err != nil {
				return nil, err
			}
		}
		kept, err := x.Run(ctx, r.run, o, from)
		switch {
		case r.answer != nil && (err == nil || !r.unsure || around != nil): // fn has not run
			return r.answer, nil
		case kept:
			if r.failure != nil {
				return &seam.Answer{}, errors.Join(r.failure, err)
			}
			return &seam.Answer{Kept: true}, err
		case r.lateRefused():
			r.late = "" // whoever was first is to be waited for, or has an answer
			continue
		case around != nil || r.claimed || !again(err) || attempts == mostClaims:
			return nil, err
		}
		// Nothing has run. Who waits for the same key as others may be told so when the
		// first is rolled back: on MySQL those who come next are in each other's way.
		timer := time.NewTimer(pause.NextBackOff())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, errors.Join(causeOf(ctx), err)
		}
	}
}

// mostClaims is how often a claim is tried that others are in the way of.
const mostClaims = 50

// digits are the bytes that hexadecimal digits stand for.
func digits(text string) []byte {
	b, _ := hex.DecodeString(text)
	return b
}

// around is the block that one with these options would be nested in, or nil.
func (x *Executor) around(ctx context.Context, o *seam.Options) (*block, error) {
	around, err := x.scope(ctx).enclosing()
	if atomic.PropagationMode(o.Propagation) == atomic.Independent {
		around = nil
	}
	return around, err
}

// wait waits for others of this process that have the key. Inside a block the server
// does the waiting, which sees whether they wait for that block as well.
func (r *onceRun) wait(ctx context.Context, around *block) error {
	var own *transaction
	deadline := r.deadline
	if around != nil {
		own = around.tx
		if r.Wait > 0 && !r.executor.db.Engine.Once().Queues {
			return nil
		}
	}
	free, err := r.executor.keys.wait(ctx, r.ID, own, deadline)
	switch {
	case err != nil:
		return &atomic.BlockError{Block: r.info, Reason: "ctx ended while another block ran for this key; fn has not run", Err: err}
	case !free:
		return r.inProgress(nil)
	}
	return nil
}

func (r *onceRun) inProgress(err error) error {
	return &atomic.BlockError{Block: r.info, Kind: atomic.ErrInProgress, Reason: "another block runs for this key; ask again later, or wait with atomic.Wait", Err: err}
}

// again reports whether a claim has failed for nothing but who else was about.
func again(err error) bool {
	return errors.Is(err, dialect.ErrDeadlock) || errors.Is(err, dialect.ErrSerializationFailure)
}

// lateRefused reports whether the claim that travelled with fn's first statement was
// refused, whatever fn has made of that.
func (r *onceRun) lateRefused() bool {
	if r.late == "" || r.block == nil {
		return false
	}
	return r.block.tx.claimRefused(r.block.Cause())
}

// run is the block: the claim, fn, and what is kept of it.
func (r *onceRun) run(ctx context.Context) error {
	x := r.executor
	b := x.scope(ctx).block
	r.block, r.info, r.claimed, r.answer, r.unsure, r.failure = b, b.Info(), false, nil, false, nil
	if r.late != "" {
		r.claimed = true
		b.tx.precede(r.late)
	} else if err := r.claim(ctx); err != nil || r.answer != nil {
		return err
	}
	result, err := r.work(ctx, b)
	if err != nil {
		return err
	}
	return r.finish(ctx, b, result)
}

// claim makes the key this block's own. If somebody was faster that is r.answer, and
// the error has the block rolled back, which has done nothing; one that has joined has
// nothing to roll back.
func (r *onceRun) claim(ctx context.Context) error {
	x, texts := r.executor, r.executor.db.Engine.Once()
	var keep any
	if r.Keep > 0 {
		keep = r.Keep.Microseconds()
	}
	for {
		n, err := r.exec(ctx, texts.Claim, r.id, r.what, keep)
		if err == nil && n == 0 {
			var old *seam.Answer
			old, err = r.read(ctx, texts.Read)
			switch {
			case err != nil:
			case old == nil: // expired, or deleted meanwhile
				n, err = r.exec(ctx, texts.Again, r.what, keep, r.id)
			default:
				return r.found(ctx, old)
			}
		}
		switch {
		case err != nil:
			return err
		case n > 0:
			r.claimed = true
			x.keys.hold(r.ID, x.scope(ctx).block.tx)
			return nil
		}
	}
}

// found ends the block of one that has found an answer. Others see what was committed also
// when its COMMIT was told to wait no longer for a synchronous standby, which may then not
// have it. But a COMMIT that writes something waits for all that came before, too: that of
// this block, or of the one around it.
func (r *onceRun) found(ctx context.Context, old *seam.Answer) error {
	b, confirm := r.executor.scope(ctx).block, r.executor.db.Engine.Once().Confirm
	switch {
	case r.unsure && b.Outermost():
		b.tx.carry(Statement{SQL: confirm, Built: true})
		r.answer = old
		return nil
	case r.unsure:
		if _, err := r.exec(ctx, confirm); err != nil {
			return err
		}
	}
	r.answer = old
	if b.Joined() {
		return nil // the wish would be one of the block around it (B5)
	}
	return atomic.Rollback
}

// exec sends a statement on the table, which waits for no longer than is left.
func (r *onceRun) exec(ctx context.Context, text string, args ...any) (affected int64, err error) {
	res, err := r.executor.Exec(ctx, r.statement(text, args))
	if err != nil {
		return 0, r.failed(err)
	}
	return res.RowsAffected()
}

func (r *onceRun) statement(text string, args []any) Statement {
	st := Statement{SQL: text, Args: args, Built: true}
	if texts := r.executor.db.Engine.Once(); !texts.Queues || r.Wait > 0 {
		left := max(time.Until(r.deadline), texts.Patience)
		st.Wait = &left
	}
	return st
}

// failed says what the failure of a statement on the table means.
func (r *onceRun) failed(err error) error {
	if errors.Is(err, dialect.ErrLockNotAvailable) && !r.executor.db.Engine.Once().Queues {
		return r.inProgress(err)
	}
	return r.executor.onceTable(r.info, err)
}

// work runs fn. An error of it that is to be kept undoes what fn did and nothing else,
// and becomes r.failure.
func (r *onceRun) work(ctx context.Context, b *block) (result []byte, err error) {
	if len(r.Errors) == 0 {
		return r.fn(ctx)
	}
	kept, err := r.executor.Run(ctx, func(ctx context.Context) (err error) {
		result, err = r.fn(ctx)
		return err
	}, &seam.Options{}, r.from)
	switch {
	case err == nil && !kept:
		return nil, atomic.Rollback // as fn wished
	case err == nil:
		return result, nil
	case b.Usable() != nil || r.kind(err) == nil:
		return nil, err
	}
	r.failure = err
	return nil, nil
}

// kind is the error of those to be kept that err is.
func (r *onceRun) kind(err error) error {
	for _, kind := range r.Errors {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// storedFailure is how an error is kept.
type storedFailure struct {
	Kind string `json:"kind"` // the text of the error that KeepError was given
	Text string `json:"text"`
}

// finish completes the row: with COMMIT, if that is the next thing to be sent.
func (r *onceRun) finish(ctx context.Context, b *block, result []byte) error {
	text := r.executor.db.Engine.Once().Finish
	if r.failure != nil {
		var err error
		if result, err = json.Marshal(storedFailure{r.kind(r.failure).Error(), r.failure.Error()}); err != nil {
			return err
		}
		text = r.executor.db.Engine.Once().Fail
	}
	if result == nil {
		result = []byte{} // NULL is for one in progress
	}
	st := Statement{SQL: text, Args: []any{result, r.id}, Built: true}
	// A claim that nothing of fn's has taken along travels with this.
	if b.Outermost() && b.Usable() == nil && b.tx.state.Phase() != state.Unsent {
		b.tx.carry(st)
		return nil
	}
	_, err := r.executor.Exec(ctx, st)
	return r.executor.onceTable(r.info, err)
}
