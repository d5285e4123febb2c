package atomichttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// Problem is what a client is told of an error: a problem of RFC 9457. It has nothing of
// what is inside the server.
type Problem struct {
	Type       string // "about:blank": there is nothing to be said but the status
	Title      string
	Status     int
	Detail     string
	RetryAfter time.Duration // 0: to ask again may be in vain, or do the work twice
}

// The types of problems, besides about:blank. They are names and lead nowhere.
const (
	// ProblemCommitUnknown: the work was done or not (atomic.ErrCommitUnknown,
	// atomic.ErrOutcomeUnknown). Who asks again without an Idempotency-Key may have it
	// done twice.
	ProblemCommitUnknown = "urn:holdfast:commit-unknown"
	// ProblemPartlyCommitted: a part of the work was done (ErrPartlyCommitted; a hook of a
	// committed block that failed).
	ProblemPartlyCommitted = "urn:holdfast:partly-committed"
	// ProblemInProgress: the same request is being worked on (atomic.ErrInProgress).
	ProblemInProgress = "urn:holdfast:in-progress"
	// ProblemKeyReused: the Idempotency-Key was used for another request
	// (atomic.ErrOnceMismatch).
	ProblemKeyReused = "urn:holdfast:key-reused"
	// ProblemKey: the Idempotency-Key is missing or cannot be read.
	ProblemKey = "urn:holdfast:idempotency-key"
)

// ProblemOf is what a client is told of err (rule W6):
//
//	503, commit-unknown    atomic.ErrCommitUnknown, ErrTransactionEnded, ErrOutcomeUnknown
//	500, partly-committed  ErrPartlyCommitted; an *atomic.HookError of a block that is
//	                       committed, whatever its hook has met
//	409, in-progress       atomic.ErrInProgress
//	422, key-reused        atomic.ErrOnceMismatch
//	400                    an Idempotency-Key, or a body, that cannot be read
//	413                    ErrBodyTooLarge, a *http.MaxBytesError
//	503, Retry-After       retries exhausted; a lock, a connection of the pool, or the
//	                       block's time that was not enough; a connection that was lost
//	409                    a deadlock or a serialization failure without Retry
//	500                    anything else
func ProblemOf(err error) Problem {
	if isAnyCommitted(err) {
		err = ErrPartlyCommitted // what the hook has met says nothing of the work
	}
	for _, c := range [...]struct {
		kind error
		Problem
	}{
		{ErrPartlyCommitted, Problem{ProblemPartlyCommitted, "", 500, "A part of the work is done and another is not.", 0}},
		{atomic.ErrCommitUnknown, Problem{ProblemCommitUnknown, "", 503, "It is not known whether the work was done.", 0}},
		{atomic.ErrTransactionEnded, Problem{ProblemCommitUnknown, "", 503, "It is not known whether the work was done.", 0}},
		{atomic.ErrOutcomeUnknown, Problem{ProblemCommitUnknown, "", 503, "It is not known whether the work was done.", 0}},
		{atomic.ErrInProgress, Problem{ProblemInProgress, "", 409, "The same request is being worked on.", time.Second}},
		{atomic.ErrOnceMismatch, Problem{ProblemKeyReused, "", 422, "The Idempotency-Key was used for another request.", 0}},
		{ErrIdempotencyKey, Problem{ProblemKey, "", 400, "The Idempotency-Key is missing, or cannot be read.", 0}},
		{ErrBodyTooLarge, Problem{"about:blank", "", 413, "The body is too large for a request with an Idempotency-Key.", 0}},
		{atomic.ErrRetriesExhausted, busy},
		{atomic.ErrPoolExhausted, busy},
		{atomic.ErrTimeout, busy},
		{atomic.ErrIdleTimeout, busy},
		{dialect.ErrLockNotAvailable, busy},
		{dialect.ErrConnectionLost, busy},
		{context.DeadlineExceeded, busy},
		{context.Canceled, busy},
		{dialect.ErrDeadlock, conflict},
		{dialect.ErrSerializationFailure, conflict},
	} {
		if errors.Is(err, c.kind) {
			c.Title = http.StatusText(c.Status)
			return c.Problem
		}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return Problem{"about:blank", http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge, "The body is too large.", 0}
	}
	if unread := (*requestError)(nil); errors.As(err, &unread) {
		return Problem{"about:blank", http.StatusText(http.StatusBadRequest), http.StatusBadRequest, "The request's body could not be read.", 0}
	}
	return Problem{"about:blank", http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError, "", 0}
}

// isAnyCommitted reports whether err, or what led to it, is the error of a hook whose block
// is committed.
func isAnyCommitted(err error) bool {
	var hook *atomic.HookError
	for errors.As(err, &hook) {
		if hook.Committed {
			return true
		}
		err = hook.Err
	}
	return false
}

var (
	busy     = Problem{"about:blank", "", 503, "Nothing was done. Ask again.", time.Second}
	conflict = Problem{"about:blank", "", 409, "Nothing was done: another request was in the way. Ask again.", 0}
)

// Write sends p as application/problem+json, in place of whatever the handler has said.
func (p Problem) Write(w http.ResponseWriter) {
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Range", "Etag", "Last-Modified", "Cache-Control", "Location"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(struct { // who does not hear it has gone
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{p.Type, p.Title, p.Status, p.Detail})
}

func writeProblem(w http.ResponseWriter, _ *http.Request, err error) { ProblemOf(err).Write(w) }
