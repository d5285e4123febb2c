package atomic

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// Rollback is what fn returns to have its block rolled back without an error:
// Do then returns nil (rule B20), also if a statement had failed before. Joined with
// another error it is that error.
var Rollback = errors.New("holdfast: roll back")

// The errors of blocks and sessions. Match them with [errors.Is]; what they
// carry (the block, the statement, the server's error) is in their text and
// reachable with [errors.As].
var (
	// ErrRollbackRequired: a statement of this block has failed before, so
	// nothing but a rollback is possible. The failed statement and its error
	// are in the chain, as a *FailedError. Nothing was sent (rule B6). To
	// survive an error that is expected, put its statement in a nested block.
	ErrRollbackRequired = errors.New("rollback required")
	// ErrBlockClosed: ctx belongs to a block that has ended. Nothing was sent
	// (rule B9).
	ErrBlockClosed = errors.New("block is closed")
	// ErrOuterContext: ctx belongs to an outer block while a nested one is in
	// progress, perhaps on another goroutine. Nothing was sent (rule B10). Use
	// the ctx that the nested fn was given.
	ErrOuterContext = errors.New("ctx of an outer block while a nested one is in progress")
	// ErrRowsOpen: rows of the same block are still being read, or a Valuer has sent
	// something in the block of its own statement. Nothing was sent (rule B10). Close or
	// read them to the end first.
	ErrRowsOpen = errors.New("rows of this block are still being read")
	// ErrDurable: a Durable block was opened inside another one; fn did not
	// run (rule B14).
	ErrDurable = errors.New("durable block inside another block")
	// ErrNotInBlock: a locking read, or Propagation(Mandatory), outside any
	// block (rules L2 and B18). Nothing was sent.
	ErrNotInBlock = errors.New("not in a block")
	// ErrInBlock: Propagation(Never) inside a block, or a session's own Commit,
	// Rollback or SetAutocommit inside one (rules B18 and A5).
	ErrInBlock = errors.New("in a block")
	// ErrOption: a nested block was given an option that only an outermost one
	// can honour, or options contradict each other, or one of them, the database or fn
	// is nil; fn did not run (rule B18).
	ErrOption = errors.New("option cannot be honoured")
	// ErrTransactionControl: the statement would end or start a transaction
	// behind the block's back, or outside any block one for whoever gets the
	// connection next. Nothing was sent (rule B15).
	ErrTransactionControl = errors.New("transaction control as a statement")
	// ErrSavepointEnded: the savepoint was released, or undone together with
	// an earlier one, or it belongs to another block (rule B24).
	ErrSavepointEnded = errors.New("savepoint has ended")
	// ErrPoolExhausted: every connection that the pool may open is held by a block
	// that waits for another one (Independent, Suspended), as this one would: that
	// would never end.
	ErrPoolExhausted = errors.New("every connection of the pool is held by blocks that wait for another")
	// ErrCommitUnknown: COMMIT was sent and no answer came: the work is either
	// committed or rolled back (rule B12). Never retried. ResolveCommit finds
	// out which.
	ErrCommitUnknown = errors.New("outcome of the commit is unknown")
	// ErrInProgress: another block runs for the key of Once, and has not ended within
	// Wait. Ask again later (rule O3).
	ErrInProgress = errors.New("in progress")
	// ErrOnceMismatch: the key of Once was used before for something else: OnceFor
	// differs. fn did not run, and what is kept stays (rule O2).
	ErrOnceMismatch = errors.New("the key was used for something else")
	// ErrOnceResult: the result of Once cannot be encoded, is larger than ResultLimit,
	// or cannot be decoded again. fn's work is rolled back; what was kept before stays
	// (rule O4).
	ErrOnceResult = errors.New("the result cannot be kept")
	// ErrTransactionEnded: a statement of the block has ended its transaction
	// unseen, such as a procedure with a COMMIT or a ROLLBACK of its own (rule B8).
	// What came before it is committed, or rolled back if a ROLLBACK ended it;
	// nothing was sent after it. Never retried, and no hook runs.
	ErrTransactionEnded = errors.New("transaction was ended by a statement in it")
	// ErrOutcomeUnknown: a statement outside any block was sent and no answer
	// came: it was either applied or not (rule S6). Never repeated.
	ErrOutcomeUnknown = errors.New("outcome of the statement is unknown")
	// ErrRetriesExhausted: the last attempt of a block under Retry failed, and
	// the block had seen the server say something retryable. What fn returned is
	// in the chain (rule B17).
	ErrRetriesExhausted = errors.New("retries exhausted")
	// ErrTimeout: the block ran longer than its Timeout and was rolled back
	// (rule B19). It matches context.DeadlineExceeded.
	ErrTimeout = fmt.Errorf("block ran into its Timeout: %w", context.DeadlineExceeded)
	// ErrIdleTimeout: the block sent nothing for longer than its IdleTimeout
	// and was rolled back (rule B19).
	ErrIdleTimeout = errors.New("block was idle for longer than its IdleTimeout")
	// ErrNoSession: autocommit is off and the statement has neither a block nor
	// a session that could keep it. Nothing was sent (rule A2).
	ErrNoSession = errors.New("autocommit is off and ctx has no session")
	// ErrUncommitted: a session was closed, or its autocommit switched on, with
	// work that was never committed (rule A3). Or a statement outside any block has run in
	// a transaction that a procedure has left open, and is not kept (rule A1).
	ErrUncommitted = errors.New("uncommitted work")
	// ErrToken: the text is no token of a database of this kind (rule R4).
	ErrToken = errors.New("not a token of this database")
	// ErrSessionClosed: ctx belongs to a session that was closed.
	ErrSessionClosed = errors.New("session is closed")
)

// BlockError is an error of a block as a whole: it could not begin, may not go
// on, or did not end as fn wanted.
type BlockError struct {
	Block  BlockInfo
	Kind   error  // one of the errors above, or nil
	Reason string // what happened and what to do; may be ""
	Err    error  // what led to it; may be nil
}

// Error names the block, what happened and why.
func (e *BlockError) Error() string {
	var parts []string
	if e.Kind != nil {
		parts = append(parts, e.Kind.Error())
	}
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}
	if e.Err != nil {
		parts = append(parts, e.cause())
	}
	return "holdfast: " + e.Block.prefix() + strings.Join(parts, ": ")
}

// cause is the text of Err without what the text of e says already.
func (e *BlockError) cause() string {
	text := strings.TrimPrefix(e.Err.Error(), "holdfast: ")
	return strings.TrimPrefix(text, e.Block.prefix())
}

// Unwrap returns the kind and the cause.
func (e *BlockError) Unwrap() []error { return present(e.Kind, e.Err) }

// FailedError is the failure of one statement: in a block it is what marks it
// (rule B6).
type FailedError struct {
	Block     BlockInfo // zero outside any block
	Statement string    // its text with placeholders, never with values
	Err       error     // usually a *dialect.Error
}

// Error names the block, the statement and the error.
func (e *FailedError) Error() string {
	return "holdfast: " + e.Block.prefix() + e.describe()
}

func (e *FailedError) describe() string {
	return lex.Abbreviate(e.Statement) + ": " + e.Err.Error()
}

// Unwrap returns the error of the server or of the connection.
func (e *FailedError) Unwrap() error { return e.Err }

// HookError says that a hook failed after the block had ended: for a hook of
// OnCommit the data is committed (rule B16).
type HookError struct {
	Block     BlockInfo
	Committed bool // the block was committed; false: it was rolled back
	Hook      int  // which hook, counted from 1 in the order of registration
	Skipped   int  // how many hooks after it did not run
	Err       error
}

// Error says whether the data is committed.
func (e *HookError) Error() string {
	outcome := "rolled back"
	if e.Committed {
		outcome = "committed"
	}
	return fmt.Sprintf("holdfast: %s%s, but hook %d failed (%d after it did not run): %v",
		e.Block.prefix(), outcome, e.Hook, e.Skipped, e.Err)
}

// Unwrap returns the hook's error.
func (e *HookError) Unwrap() error { return e.Err }

func present(errs ...error) []error {
	kept := errs[:0]
	for _, err := range errs {
		if err != nil {
			kept = append(kept, err)
		}
	}
	return kept
}
