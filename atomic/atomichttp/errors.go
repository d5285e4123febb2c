package atomichttp

import "errors"

// The errors of this package. ErrorHandler meets them beside those of atomic; match
// them with errors.Is.
var (
	// ErrResponseTooLarge: the response is larger than MaxResponse, and there is no
	// Spill. Write returns it, and the block is rolled back (rule W1).
	ErrResponseTooLarge = errors.New("holdfast: atomichttp: the response is larger than MaxResponse: raise it, use Spill, or wrap the handler in NonAtomic")
	// ErrNotHeld: what the handler wanted would reach the client before COMMIT: Flush,
	// Hijack, a stream of server-sent events (rule W1).
	ErrNotHeld = errors.New("holdfast: atomichttp: a response that waits for COMMIT cannot be flushed, hijacked or streamed: wrap the handler in NonAtomic")
	// ErrPartlyCommitted: of several databases some are committed and others are not (Also).
	ErrPartlyCommitted = errors.New("holdfast: atomichttp: some databases are committed and others are not")
	// ErrIdempotencyKey: the Idempotency-Key is missing although it is asked for
	// (RequireKey), or cannot be read.
	ErrIdempotencyKey = errors.New("holdfast: atomichttp: Idempotency-Key")
	// ErrBodyTooLarge: the body of a request with an Idempotency-Key is larger than
	// KeepBody: nobody could tell whether it is the same.
	ErrBodyTooLarge = errors.New("holdfast: atomichttp: the request's body is larger than KeepBody")

	// errUndo is the wish to roll back of a handler that has answered with an error.
	errUndo = errors.New("the handler's status rolls back")
	// errReturned: somebody writes a response whose handler has returned.
	errReturned = errors.New("holdfast: atomichttp: the handler has returned, and its response has left")
	// errOnlyOnce: another attempt, of a handler that cannot run again.
	errOnlyOnce = errors.New("holdfast: atomichttp: the handler cannot run again: its request's body is gone, or a part of what it did cannot be taken back")
)
