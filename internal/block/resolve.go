package block

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// resolve asks on connections beside the pool what became of a transaction, until
// one answers or the limit runs out: the server may be on its way back.
func (x *Executor) resolve(ctx context.Context, token string) (done bool, err error) {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), x.settings.commitTimeout())
	defer cancel()
	resolver := x.db.Engine.Resolver()
	if bulk, ok := resolver.(backend.BulkResolver); ok {
		return x.inquiries.ask(limit, x, bulk, token)
	}
	var last error
	done, err = backoff.Retry(limit, func() (bool, error) {
		conn, err := x.connectAnyhow(limit)
		if err != nil {
			last = err
			return false, err
		}
		done, err := resolver.Outcome(limit, conn.wire, token)
		conn.dirty = conn.dirty || err != nil
		conn.giveBack()
		if unresolvable := (*backend.UnresolvableError)(nil); errors.As(err, &unresolvable) {
			return false, backoff.Permanent(err)
		}
		last = err
		return done, err
	}, backoff.WithBackOff((&retry{}).backoff()), backoff.WithMaxElapsedTime(0))
	return done, withLast(err, last)
}

// withLast says what a question has met with when its limit ran out.
func withLast(err, last error) error {
	if err == nil || last == nil || errors.Is(err, last) {
		return err
	}
	return fmt.Errorf("%w (last: %w)", err, last)
}

// inquiries are the questions that are open at one time. One connection asks all
// of them together: after the fall of a network there may be many more than the
// server has connections for.
type inquiries struct {
	mu   sync.Mutex
	open []*inquiry
	stop context.CancelFunc // of who asks; nil: nobody does
	more chan struct{}      // wakes who asks; takes one
}

type inquiry struct {
	asked  backend.Asked
	answer chan backend.Fate // takes one
	last   error             // what asking met with; guarded by inquiries.mu
}

// ask waits for the answer within ctx.
func (q *inquiries) ask(ctx context.Context, x *Executor, r backend.BulkResolver, token string) (done bool, err error) {
	own := &inquiry{asked: backend.Asked{Token: token, Since: time.Now()}, answer: make(chan backend.Fate, 1)}
	q.mu.Lock()
	q.open = append(q.open, own)
	if q.stop == nil {
		asking, stop := context.WithCancel(context.Background())
		q.stop, q.more = stop, make(chan struct{}, 1)
		go q.run(asking, x, r, q.more)
	}
	q.wake()
	q.mu.Unlock()
	select {
	case fate := <-own.answer:
		return fate.Committed, fate.Err
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = slices.DeleteFunc(q.open, func(o *inquiry) bool { return o == own })
	if len(q.open) == 0 && q.stop != nil {
		q.stop() // nobody waits any more
		q.stop = nil
	}
	select {
	case fate := <-own.answer:
		return fate.Committed, fate.Err
	default:
		return false, withLast(context.Cause(ctx), own.last)
	}
}

// A question that takes longer than one round is asked again, so that those that
// have come meanwhile get their turn.
const (
	inquiryRound = 5 * time.Second
	inquiryFirst = 5 * time.Millisecond
	inquiryLast  = 250 * time.Millisecond
)

// run asks until nothing is open any more.
func (q *inquiries) run(ctx context.Context, x *Executor, r backend.BulkResolver, more <-chan struct{}) {
	var conn *connection
	defer func() {
		if conn != nil {
			conn.giveBack()
		}
	}()
	for wait := inquiryFirst; ; wait = min(2*wait, inquiryLast) {
		open := q.waiting(ctx)
		if len(open) == 0 {
			return
		}
		conn = q.round(ctx, x, r, conn, open)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-more:
			wait = inquiryFirst
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// waiting returns what is open. Where that is nothing, whoever comes next starts
// another run.
func (q *inquiries) waiting(ctx context.Context) []*inquiry {
	q.mu.Lock()
	defer q.mu.Unlock()
	if ctx.Err() != nil {
		return nil // the last one has left, and somebody else may run already
	}
	if len(q.open) == 0 {
		q.stop()
		q.stop = nil
	}
	return slices.Clone(q.open)
}

// round asks for all of open once and returns the connection that is left.
func (q *inquiries) round(ctx context.Context, x *Executor, r backend.BulkResolver, conn *connection, open []*inquiry) *connection {
	if conn == nil {
		var err error
		if conn, err = x.connectAnyhow(ctx); err != nil {
			q.deliver(open, nil, err)
			return nil
		}
	}
	asked := make([]backend.Asked, len(open))
	for i, o := range open {
		asked[i] = o.asked
	}
	ctx, cancel := context.WithTimeout(ctx, inquiryRound)
	defer cancel()
	fates, err := r.Fates(ctx, conn.wire, asked)
	q.deliver(open, fates, err)
	if err != nil {
		conn.dirty = true
		conn.giveBack()
		return nil
	}
	return conn
}

// deliver hands out the answers that there are.
func (q *inquiries) deliver(open []*inquiry, fates []backend.Fate, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, o := range open {
		if i < len(fates) && fates[i].Known {
			o.answer <- fates[i]
			q.open = slices.DeleteFunc(q.open, func(other *inquiry) bool { return other == o })
		} else if err != nil {
			o.last = err
		}
	}
	if len(q.open) == 0 {
		q.wake() // to end at once, and give the connection back
	}
}

// wake has who asks look again before its time.
func (q *inquiries) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}
