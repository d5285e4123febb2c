package block_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// What the wire returns, and what is made of it.
func TestS05_ErrorsHaveKinds(t *testing.T) {
	known := &dialect.Error{Engine: "other", Kind: dialect.ErrCheckViolation, Code: "7"}
	for name, c := range map[string]struct {
		err     error
		want    dialect.Error // without Err
		cause   error         // in the chain
		another error         // not in it
	}{
		"one with a kind":     {unique, dialect.Error{Kind: dialect.ErrUniqueViolation, Code: "1062", Message: "server says 1062"}, unique, nil},
		"one that is fatal":   {deadlock, dialect.Error{Kind: dialect.ErrDeadlock, Code: "1213", Fatal: true, Message: "server says 1213"}, deadlock, nil},
		"one without":         {unnamed, dialect.Error{Message: unnamed.Error()}, unnamed, nil},
		"one that has a name": {fmt.Errorf("wrapped: %w", known), *known, known, nil},
		"a value":             {&backend.NotSentError{Err: errUnbindable}, dialect.Error{NotSent: true, Message: errUnbindable.Error()}, errUnbindable, nil},
		"a closed connection": {&backend.NotSentError{Closed: true, Err: unnamed},
			dialect.Error{Kind: dialect.ErrConnectionLost, NotSent: true, Fatal: true, Message: unnamed.Error()}, unnamed, nil},
		"ErrBadConn": {driver.ErrBadConn, dialect.Error{Message: driver.ErrBadConn.Error()}, nil, driver.ErrBadConn},
		"ErrBadConn, not sent": {&backend.NotSentError{Closed: true, Err: driver.ErrBadConn},
			dialect.Error{Kind: dialect.ErrConnectionLost, NotSent: true, Fatal: true, Message: driver.ErrBadConn.Error()}, nil, driver.ErrBadConn},
		"a refused prefix": {&backend.PrefixError{Statement: "SAVEPOINT hf_1", Err: unique},
			dialect.Error{Kind: dialect.ErrUniqueViolation, Code: "1062", Fatal: true, Message: "SAVEPOINT hf_1 was refused: server says 1062"}, unique, nil},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				for _, send := range []func(context.Context) error{
					func(ctx context.Context) error { return s.exec(ctx, "INSERT a") },
					func(ctx context.Context) error {
						return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") })
					},
				} {
					s.on("INSERT a", refuses(c.err))
					if c.want.NotSent && c.want.Fatal {
						s.on("INSERT a", refuses(c.err)) // another connection is tried
					}
					err := send(t.Context())
					var got *dialect.Error
					require.ErrorAs(t, err, &got)
					e := *got
					e.Engine, e.Err, c.want.Engine = "", nil, ""
					require.Equal(t, c.want, e)
					if c.cause != nil {
						require.ErrorIs(t, err, c.cause)
					}
					if c.another != nil {
						require.NotErrorIs(t, err, c.another, "database/sql would send it again (S6)")
						require.ErrorContains(t, err, c.another.Error())
					}
				}
			})
		})
	}
}

// A caller's text may hold values; the library's own does not.
func TestFailedError_ShowsNoValues(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("UPDATE t SET a = 'secret'", refuses(unique), refuses(unique))
		for _, ctx := range []context.Context{t.Context(), nil} {
			var err error
			if ctx != nil {
				err = s.exec(ctx, "UPDATE t SET a = 'secret'")
			} else {
				err = s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "UPDATE t SET a = 'secret'") })
			}
			require.NotContains(t, err.Error(), "secret")
			var failed *atomic.FailedError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, "UPDATE t SET a = ?", failed.Statement)
		}
		s.on("SELECT 'x'", refuses(unique))
		_, err := s.all(t.Context(), "SELECT 'x'")
		require.ErrorContains(t, err, "SELECT 'x'")
	})
}

// ctx has ended: its cause is told, with what the driver made of it, unless the
// server has said what it was.
func TestB11_WhatAnEndedCtxMakesOfAnError(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		cause bool
	}{
		"without a name":    {unnamed, true},
		"the connection":    {gone, true},
		"canceled":          {canceled, true},
		"with a code":       {&serverError{code: "1105"}, false},
		"with a kind":       {unique, false},
		"with a kind alone": {&serverError{kind: dialect.ErrReadOnly}, false},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				ctx, cancel := context.WithCancelCause(t.Context())
				s.on("UPDATE a", reply{silent: true, patient: true, err: c.err})
				result := aside(func() error { return s.exec(ctx, "UPDATE a") })
				cancel(errCaller)
				err := result()
				require.Equal(t, c.cause, errors.Is(err, errCaller))
				require.ErrorIs(t, err, c.err)
			})
		})
	}
}
