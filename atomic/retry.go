package atomic

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// RetryPolicy is an Option that says when a block is run again (rule B17).
type RetryPolicy struct {
	// Max is how many times fn is run again after its first attempt. 0 is a block
	// without Retry, also where orm.WithBlock has one.
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
// a statement or at COMMIT, or has refused a write because it is read-only: it was
// the writer, and its connections are not used again. What counts is what the block saw the server say,
// even when fn has hidden it in an error of its own. fn must be prepared to be
// run more than once: what it changed outside the database stays. Between the
// attempts it waits as RetryPolicy says, within ctx. After the last one Do
// returns ErrRetriesExhausted with the last error in its chain. Outermost blocks
// only: inside another it is ErrOption, because a deadlock ends the transaction
// of that one. A function that is called in either place asks for it only
// outside: if In(ctx, db) is false.
func Retry(n int) Option { return RetryPolicy{Max: n} }

func (p RetryPolicy) apply(o *seam.Options) {
	if p.Max < 0 || p.Base < 0 || p.Cap < 0 {
		o.Reject("RetryPolicy: Max, Base and Cap must not be negative")
	}
	r := seam.Retry(p)
	o.Retry = &r
}
