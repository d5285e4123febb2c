package block

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// retry decides when a block is run again.
type retry seam.Retry

// errAgain asks the backoff library for another attempt. fn's own error never
// reaches it: it could hold that library's control errors.
var errAgain = errors.New("again")

// run makes the attempts.
func (p *retry) run(ctx context.Context, attempt func(n int) (*transaction, ending, error)) (kept bool, _ error) {
	n := 0
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		n++
		t, how, err := attempt(n)
		if t == nil && last != nil { // it could not begin, and why there was to be another is not to be lost
			err = errors.Join(err, last)
		}
		kept, last = how == committed, err
		if err != nil && t != nil && how == rolledBack && p.wants(t) {
			if n <= p.Max {
				t.tellOfHook(ctx, err)
			}
			return struct{}{}, errAgain
		}
		return struct{}{}, nil
	}, backoff.WithBackOff(p.backoff()), backoff.WithMaxTries(uint(p.Max)+1), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return kept, last
	}
	if cause := causeOf(ctx); cause != nil && !errors.Is(last, cause) {
		last = errors.Join(cause, last) // ctx ended after the attempt, or while waiting for the next
	}
	if err != errAgain {
		return false, last
	}
	return false, &atomic.BlockError{Kind: atomic.ErrRetriesExhausted, Reason: fmt.Sprintf("%d attempts", n), Err: last}
}

// tellOfHook logs that a hook of an attempt failed which another attempt follows: its
// error would be nobody's.
func (t *transaction) tellOfHook(ctx context.Context, err error) {
	if hook, ok := errors.AsType[*atomic.HookError](err); ok {
		t.executor.settings.logger().ErrorContext(ctx, "holdfast: hook failed", "block", t.root.Info().String(), "error", hook)
	}
}

// wants reports whether the block saw the server say something that another
// attempt may cure.
func (p *retry) wants(t *transaction) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nothingKept {
		return true
	}
	for _, e := range t.seen {
		switch e.Kind {
		case dialect.ErrDeadlock, dialect.ErrSerializationFailure:
			return true
		case dialect.ErrReadOnly:
			// The server was the writer when the connection was opened.
			if !t.root.Opts.ReadOnly && t.executor.db.Server.Engine != dialect.SQLite {
				return true
			}
		case dialect.ErrLockNotAvailable:
			if p.Locks {
				return true
			}
		case dialect.ErrConnectionLost:
			if p.Connection || t.elsewhere { // nothing was written, and others can read
				return true
			}
		}
	}
	return false
}

// backoff is full jitter: uniform between 0 and twice the interval.
func (p *retry) backoff() backoff.BackOff {
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
