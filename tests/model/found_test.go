package model

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// ownError is an error that the program itself brings up. It is the name by
// which the model knows it.
type ownError string

func (e ownError) Error() string { return string(e) }

// sentinels are what the model speaks of, and what it never should meet.
var sentinels = map[string]error{
	Rollback:           atomic.Rollback,
	RollbackRequired:   atomic.ErrRollbackRequired,
	BlockClosed:        atomic.ErrBlockClosed,
	OuterContext:       atomic.ErrOuterContext,
	RowsOpen:           atomic.ErrRowsOpen,
	Durable:            atomic.ErrDurable,
	NotInBlock:         atomic.ErrNotInBlock,
	InBlock:            atomic.ErrInBlock,
	Option:             atomic.ErrOption,
	TransactionControl: atomic.ErrTransactionControl,
	SavepointEnded:     atomic.ErrSavepointEnded,
	Canceled:           context.Canceled,
	UniqueViolation:    dialect.ErrUniqueViolation,
	ReadOnlyViolation:  dialect.ErrReadOnly,
	LockNotAvailable:   dialect.ErrLockNotAvailable,

	"ErrPoolExhausted":        atomic.ErrPoolExhausted,
	"ErrCommitUnknown":        atomic.ErrCommitUnknown,
	"ErrOutcomeUnknown":       atomic.ErrOutcomeUnknown,
	"ErrRetriesExhausted":     atomic.ErrRetriesExhausted,
	"ErrTimeout":              atomic.ErrTimeout,
	"ErrIdleTimeout":          atomic.ErrIdleTimeout,
	"ErrNoSession":            atomic.ErrNoSession,
	"ErrUncommitted":          atomic.ErrUncommitted,
	"ErrSessionClosed":        atomic.ErrSessionClosed,
	"ErrDeadlock":             dialect.ErrDeadlock,
	"ErrSerializationFailure": dialect.ErrSerializationFailure,
	"ErrQueryCanceled":        dialect.ErrQueryCanceled,
	"ErrConnectionLost":       dialect.ErrConnectionLost,
	"ErrUnsupported":          dialect.ErrUnsupported,
	"DeadlineExceeded":        context.DeadlineExceeded,
}

// found lists what is in the chain of err.
func found(err error) Error {
	if err == nil {
		return nil
	}
	var kinds []string
	for name, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			kinds = append(kinds, name)
		}
	}
	walk(err, func(err error) {
		switch err := any(err).(type) {
		case ownError:
			kinds = append(kinds, string(err))
		case *atomic.HookError:
			kinds = append(kinds, HookFailed(err.Committed, err.Hook, err.Skipped))
		}
	})
	if kinds == nil {
		kinds = []string{"unknown: " + err.Error()}
	}
	return NewError(kinds...)
}

// walk visits err and all that it wraps.
func walk(err error, visit func(error)) {
	visit(err)
	switch err := any(err).(type) {
	case interface{ Unwrap() error }:
		if next := err.Unwrap(); next != nil {
			walk(next, visit)
		}
	case interface{ Unwrap() []error }:
		for _, next := range err.Unwrap() {
			walk(next, visit)
		}
	}
}
