package backend

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
)

// deadlocked is an Engine whose driver knows of deadlocks alone.
type deadlocked struct{ Engine }

func (deadlocked) Classify(err error) *dialect.Error {
	return &dialect.Error{Engine: "some", Kind: dialect.ErrDeadlock, Code: "1", Message: "it says no", Err: err}
}

// What the errors of this package say comes to what the engine makes of the driver's.
func TestS05_WhatBecameOfTheStatement(t *testing.T) {
	d := &Database{Engine: deadlocked{}, Server: dialect.Server{Engine: "some"}}
	cause := errors.New("no")
	committed := (&EndedError{}).Reason()
	for name, c := range map[string]struct {
		err  error
		want dialect.Error // without Engine and Err
	}{
		"the driver's":          {cause, dialect.Error{Kind: dialect.ErrDeadlock, Code: "1", Message: "it says no"}},
		"not sent":              {&NotSentError{Err: cause}, dialect.Error{Kind: dialect.ErrDeadlock, Code: "1", Message: "it says no", NotSent: true}},
		"not sent, closed":      {&NotSentError{Closed: true, Err: cause}, dialect.Error{Kind: dialect.ErrConnectionLost, Code: "1", Message: "it says no", NotSent: true, Fatal: true}},
		"in front of it":        {&PrefixError{"SAVEPOINT a", cause}, dialect.Error{Kind: dialect.ErrDeadlock, Code: "1", Message: "SAVEPOINT a was refused: it says no", Fatal: true}},
		"ended":                 {&EndedError{Err: cause}, dialect.Error{Code: "1", Message: committed + ": it says no", Fatal: true}},
		"ended by a ROLLBACK":   {&EndedError{RolledBack: true, Err: cause}, dialect.Error{Kind: dialect.ErrDeadlock, Code: "1", Message: "the transaction was rolled back inside a statement: it says no", Fatal: true}},
		"ended, without more":   {&EndedError{}, dialect.Error{Message: committed, Fatal: true}},
		"ended, not sent":       {&EndedError{Err: &NotSentError{Err: cause}}, dialect.Error{Code: "1", Message: committed + ": it says no", NotSent: true, Fatal: true}},
		"ended, in front of it": {&PrefixError{"SAVEPOINT a", &EndedError{Err: cause}}, dialect.Error{Code: "1", Message: "SAVEPOINT a was refused: " + committed + ": it says no", Fatal: true}},
		"in front, and ended":   {&EndedError{Err: &PrefixError{"SAVEPOINT a", cause}}, dialect.Error{Code: "1", Message: committed + ": SAVEPOINT a was refused: it says no", Fatal: true}},
	} {
		got := *Classify(d, fmt.Errorf("wrapped: %w", c.err))
		require.ErrorIs(t, &got, c.err, name)
		got.Err = nil
		c.want.Engine = "some"
		require.Equal(t, c.want, got, name)
	}
	known := &dialect.Error{Engine: "other"}
	require.Same(t, known, Classify(d, &NotSentError{Err: known}))
}
