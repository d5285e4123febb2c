package model

import (
	"fmt"
	"slices"
	"strings"
)

// An Error is the set of things that errors.Is finds in an error, sorted; nil
// is no error.
type Error []string

// What can be found in an error, besides the errors of the program itself.
const (
	Rollback           = "Rollback" // atomic.Rollback
	RollbackRequired   = "ErrRollbackRequired"
	BlockClosed        = "ErrBlockClosed"
	OuterContext       = "ErrOuterContext"
	RowsOpen           = "ErrRowsOpen"
	Durable            = "ErrDurable"
	NotInBlock         = "ErrNotInBlock"
	InBlock            = "ErrInBlock"
	Option             = "ErrOption"
	TransactionControl = "ErrTransactionControl"
	SavepointEnded     = "ErrSavepointEnded"
	Canceled           = "context.Canceled"
	UniqueViolation    = "ErrUniqueViolation"
	ReadOnlyViolation  = "ErrReadOnly"
	LockNotAvailable   = "ErrLockNotAvailable"
)

// Own is the error that a function of the program returns of its own: the
// function of the block or the hook with this ID.
func Own(id int) string { return fmt.Sprintf("error of %d", id) }

// Cause is the cause with which the Cancel with this ID cancels a ctx.
func Cause(id int) string { return fmt.Sprintf("cause of %d", id) }

// Boom is what a function of the program panics with.
func Boom(id int) string { return fmt.Sprintf("panic of %d", id) }

// HookFailed is a *HookError: the n-th hook failed, so that others did not run.
func HookFailed(committed bool, n, skipped int) string {
	end := "rolled back"
	if committed {
		end = "committed"
	}
	return fmt.Sprintf("HookError(%s, hook %d, %d skipped)", end, n, skipped)
}

// NewError returns the Error in which these are found.
func NewError(kinds ...string) Error {
	e := slices.Clone(kinds)
	slices.Sort(e)
	return slices.Compact(e)
}

// With returns the Error in which all of e and these are found.
func (e Error) With(kinds ...string) Error { return NewError(append(slices.Clone(e), kinds...)...) }

// OfStatement is e as a statement, or anything else but Do, must report it. The
// cause of a cancelled ctx is then left open: database/sql looks at the ctx
// first, and knows no causes.
func (e Error) OfStatement() Error {
	return e.replace(isCause, Canceled)
}

// OfBlock is e as Do must report it: with the cause of a cancelled ctx (B11),
// and then it does not matter whether it matches context.Canceled too.
func (e Error) OfBlock() Error {
	if slices.ContainsFunc(e, isCause) {
		return e.replace(func(kind string) bool { return kind == Canceled })
	}
	return e
}

func isCause(kind string) bool { return strings.HasPrefix(kind, "cause of") }

// replace returns e with others in the place of what matches.
func (e Error) replace(matches func(string) bool, others ...string) Error {
	kept := slices.DeleteFunc(slices.Clone(e), matches)
	if len(kept) == len(e) {
		return e
	}
	return NewError(append(kept, others...)...)
}

// Has reports whether kind is found in e.
func (e Error) Has(kind string) bool { return slices.Contains(e, kind) }

func (e Error) String() string {
	if e == nil {
		return "ok"
	}
	return strings.Join(e, " + ")
}
