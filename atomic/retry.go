package atomic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/holdfast-go/holdfast/dialect"
)

// RetryPolicy is an Option that says when a block is run again (rule B17).
type RetryPolicy struct {
	// Max is how many times fn is run again after its first attempt.
	Max int
	// Base is the longest wait before the first retry; it doubles with each
	// further one up to Cap. The wait itself is random between 0 and that
	// ("full jitter", Brooker, Exponential Backoff And Jitter, AWS
	// Architecture Blog 2015). 0 means 20 ms and 2 s.
	Base, Cap time.Duration
	// Locks retries as well when a lock could not be obtained
	// (dialect.ErrLockNotAvailable) and fn has returned an error, whichever it
	// is: one that was handled in a nested block counts too, since nobody can
	// tell whether the error of fn comes of it.
	Locks bool
	// Connection retries as well when the connection was lost before COMMIT
	// was sent: the transaction died with it. It has no effect on a COMMIT
	// without an answer, which is never retried.
	Connection bool
}

// Retry runs fn again, up to n more times, in a fresh transaction with fresh
// hooks, when the server has reported a deadlock or a serialization failure, at
// a statement or at COMMIT. What counts is what the block saw the server say,
// even when fn has hidden it in an error of its own. fn must be prepared to be
// run more than once: what it changed outside the database stays. Between the
// attempts it waits as RetryPolicy says, within ctx. After the last one Do
// returns ErrRetriesExhausted with the last error in its chain. Outermost blocks
// only: inside another it is ErrOption, because a deadlock ends the transaction
// of that one. A function that is called in either place asks for it only
// outside: if In(ctx, db) is false.
func Retry(n int) Option { return RetryPolicy{Max: n} }

func (p RetryPolicy) apply(o *options) {
	if p.Max < 0 || p.Base < 0 || p.Cap < 0 {
		o.reject("RetryPolicy: Max, Base and Cap must not be negative")
	}
	o.retry = &p
}

// errAgain asks the backoff library for another attempt. fn's own error never
// reaches it: it could hold that library's control errors.
var errAgain = errors.New("again")

// run makes the attempts.
func (p *RetryPolicy) run(ctx context.Context, attempt func(n int) (*transaction, ending, error)) (kept bool, _ error) {
	n := 0
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		n++
		t, how, err := attempt(n)
		kept, last = how == committed, err
		if err != nil && t != nil && how == rolledBack && p.wants(t) {
			return struct{}{}, errAgain
		}
		return struct{}{}, nil
	}, backoff.WithBackOff(p.backoff()), backoff.WithMaxTries(uint(p.Max)+1), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return kept, last
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(last, cause) {
		last = errors.Join(cause, last) // ctx ended after the attempt, or while waiting for the next
	}
	if err != errAgain {
		return false, last
	}
	return false, &BlockError{Kind: ErrRetriesExhausted, Reason: fmt.Sprintf("%d attempts", n), Err: last}
}

// wants reports whether the block saw the server say something that another
// attempt may cure.
func (p *RetryPolicy) wants(t *transaction) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resolvedBack {
		return true
	}
	for _, e := range t.seen {
		switch e.Kind {
		case dialect.ErrDeadlock, dialect.ErrSerializationFailure:
			return true
		case dialect.ErrLockNotAvailable:
			if p.Locks {
				return true
			}
		case dialect.ErrConnectionLost:
			if p.Connection {
				return true
			}
		}
	}
	return false
}

// backoff is full jitter: uniform between 0 and twice the interval.
func (p *RetryPolicy) backoff() backoff.BackOff {
	base, limit := p.Base, p.Cap
	if base == 0 {
		base = 20 * time.Millisecond
	}
	if limit == 0 {
		limit = 2 * time.Second
	}
	return &backoff.ExponentialBackOff{
		InitialInterval:     base / 2,
		RandomizationFactor: 1,
		Multiplier:          2,
		MaxInterval:         max(base, limit) / 2,
	}
}
