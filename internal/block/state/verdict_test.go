package state_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block/state"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// What becomes of a block by what is known when fn has returned. The rows are
// the same for the outermost block and for a nested one.
func TestB06_TheVerdict(t *testing.T) {
	mine := fmt.Errorf("mine: %w", errLater)
	errCtx := errors.New("ctx was cancelled with a Rollback")
	for name, c := range map[string]struct {
		fails, undo bool
		ret         state.Return
		keep        bool
		is          []error
		text        string
	}{
		"nil":                               {ret: state.Return{}, keep: true},
		"an error":                          {ret: state.Return{Err: mine}, is: []error{mine}, text: mine.Error()},
		"Rollback":                          {ret: state.Return{Err: atomic.Rollback}},
		"Rollback, wrapped, and a failure":  {fails: true, ret: state.Return{Err: fmt.Errorf("dry: %w", atomic.Rollback)}},
		"Rollback that is somebody else's":  {ret: state.Return{Err: fmt.Errorf("seen: %w", atomic.Rollback), Ctx: errCtx, Shared: true}, is: []error{errCtx}, text: errCtx.Error()},
		"Rollback and a ctx that has ended": {ret: state.Return{Err: atomic.Rollback, Ctx: context.Canceled}},
		"Rollback beside an error":          {ret: state.Return{Err: errors.Join(mine, atomic.Rollback)}, is: []error{mine, atomic.Rollback}},
		"an error of no errors":             {ret: state.Return{Err: noErrors{}}, is: []error{noErrors{}}},
		"SetRollback":                       {undo: true, ret: state.Return{}},
		"SetRollback and an error":          {undo: true, ret: state.Return{Err: mine}, is: []error{mine}},
		"SetRollback and a failure":         {undo: true, fails: true, ret: state.Return{}},
		"a failure":                         {fails: true, ret: state.Return{}, is: []error{atomic.ErrRollbackRequired, errFirst}},
		"a failure and its error":           {fails: true, ret: state.Return{Err: fmt.Errorf("told: %w", errFirst)}, is: []error{errFirst}, text: "told: the first failure"},
		"a failure and another error":       {fails: true, ret: state.Return{Err: mine}, is: []error{mine, errFirst}, text: "mine: a later failure (before that: the first failure)"},
		"ctx":                               {ret: state.Return{Ctx: context.Canceled}, is: []error{context.Canceled}},
		"ctx and an error": {ret: state.Return{Err: mine, Ctx: context.Canceled}, is: []error{mine, context.Canceled},
			text: "mine: a later failure (before that: context canceled)"},
		"ctx and its error":           {ret: state.Return{Err: context.Canceled, Ctx: context.Canceled}, is: []error{context.Canceled}, text: "context canceled"},
		"ctx and a failure":           {fails: true, ret: state.Return{Ctx: context.Canceled}, is: []error{context.Canceled, errFirst}},
		"ctx, a failure and an error": {fails: true, ret: state.Return{Err: mine, Ctx: context.Canceled}, is: []error{mine, context.Canceled, errFirst}},
		"closed":                      {ret: state.Return{Closed: true}, is: []error{atomic.ErrRollbackRequired}},
		"closed and a failure":        {fails: true, ret: state.Return{Closed: true}, is: []error{atomic.ErrRollbackRequired, errFirst}},
	} {
		for _, nested := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, nested %v", name, nested), func(t *testing.T) {
				f := newFamily(t)
				f.leave(f.join)
				b := f.middle
				if !nested {
					f.leave(f.middle)
					b = f.outer
				}
				if c.fails {
					b.Fail(errFirst)
				}
				if c.undo {
					require.NoError(t, b.SetRollback(true))
				}
				var keep bool
				var err error
				if nested {
					keep, err = b.EndNested(c.ret)
					require.Equal(t, open, f.state(f.outer))
				} else {
					end := f.tx.End(c.ret)
					keep, err = end.Keep, end.Result
					require.False(t, end.Expired)
				}
				require.Equal(t, c.keep, keep)
				if c.is == nil {
					require.NoError(t, err)
				}
				for _, is := range c.is {
					require.ErrorIs(t, err, is)
				}
				if c.text != "" {
					require.EqualError(t, err, c.text)
				}
			})
		}
	}
}

// What is left for the outermost block's end to send.
func TestB07_TheEndOfTheOutermost(t *testing.T) {
	f := newFamily(t)
	f.send(f.join)
	_, err := f.join.EndNested(state.Return{})
	require.NoError(t, err)
	_, err = f.middle.EndNested(state.Return{Err: errFirst})
	require.Equal(t, errFirst, err)
	end := f.tx.End(state.Return{})
	require.Equal(t, state.End{Keep: true, Was: state.Begun, Before: []string{"ROLLBACK TO SAVEPOINT hf_1"}}, end)

	f = newFamily(t)
	f.leave(f.join, f.middle)
	require.Equal(t, state.End{Keep: true, Was: state.Unsent}, f.tx.End(state.Return{}))
}

// hook has a name, to tell it from others.
func hook(ran *[]string, name string, onRollback bool) seam.Hook {
	return seam.Hook{OnRollback: onRollback, Fn: func(context.Context) error { *ran = append(*ran, name); return nil }}
}

func TestB16_HooksAreDueByOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		committed, known bool
		want             []string
	}{
		"committed": {true, true, []string{"+outer", "-middle"}}, "rolled back": {false, true, []string{"-outer", "-middle", "-later"}}, "unknown": {false, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var ran []string
			names := map[int]string{1: "outer", 2: "middle"}
			f := growing(t, func(b *state.Block) {
				if name := names[b.Depth()]; name != "" {
					require.NoError(t, b.Register(hook(&ran, "+"+name, false)))
					require.NoError(t, b.Register(hook(&ran, "-"+name, true)))
				}
			})
			f.leave(f.join)
			_, _ = f.middle.EndNested(state.Return{Err: errFirst})
			require.NoError(t, f.outer.Register(hook(&ran, "-later", true)))
			f.tx.End(state.Return{})
			for range 2 { // each once
				for _, h := range f.tx.Due(c.committed, c.known) {
					require.NoError(t, h.Fn(t.Context()))
				}
			}
			require.Equal(t, c.want, ran)
		})
	}
}

// When a time limit ends the transaction, nothing of it was kept.
func TestB16_HooksAfterExpire(t *testing.T) {
	var ran []string
	f := growing(t, func(b *state.Block) {
		require.NoError(t, b.Register(hook(&ran, "+", false)))
		require.NoError(t, b.Register(hook(&ran, fmt.Sprint("-", b.Depth()), true)))
	})
	f.tx.Expire(errFirst)
	f.tx.End(state.Return{})
	for _, h := range f.tx.Due(false, true) {
		require.NoError(t, h.Fn(t.Context()))
	}
	require.Equal(t, []string{"-1", "-2", "-3"}, ran)
}

// Who ends a block while one inside it is in progress is told what it waits for.
func TestB10_WhatABlockLeftBehindWaitsFor(t *testing.T) {
	for byHand, want := range map[bool]string{false: "wait for its goroutine", true: "a transaction of db.SQL() needs its Commit or Rollback"} {
		f := newFamily(t)
		f.leave(f.join)
		_, err := f.middle.Enter(&seam.Options{Name: "late", ByHand: byHand}, seam.Site{}, true)
		require.NoError(t, err)
		kept, err := f.middle.EndNested(state.Return{})
		require.False(t, kept)
		require.ErrorIs(t, err, atomic.ErrOuterContext)
		require.ErrorContains(t, err, "was still in progress when this block ended; "+want)
	}
}

// noErrors is an error of several that has none.
type noErrors struct{}

func (noErrors) Error() string   { return "none of them" }
func (noErrors) Unwrap() []error { return nil }
