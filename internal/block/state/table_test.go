package state_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block/state"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// speller is as much of an engine as the states need.
type speller struct{ backend.Engine }

func (speller) Begin(backend.TxOptions) (backend.Control, error) {
	return backend.Control{Begin: "BEGIN"}, nil
}

func (speller) LockWait(d time.Duration) backend.Control {
	return backend.Control{Inside: []string{"SET WAIT " + d.String()}, Restore: []string{"RESET WAIT"}}
}

var (
	errFirst = errors.New("the first failure")
	errLater = errors.New("a later failure")
)

// family is a transaction with an outermost block, one inside it with a
// savepoint, and one that has joined that.
type family struct {
	*testing.T
	tx                  *state.Transaction
	outer, middle, join *state.Block
}

func newFamily(t *testing.T) *family {
	t.Helper()
	return growing(t, func(*state.Block) {})
}

// growing is newFamily, whose blocks do something before the next one is opened.
func growing(t *testing.T, first func(b *state.Block)) *family {
	t.Helper()
	f := &family{T: t, tx: state.New(speller{}, &seam.Options{Name: "outer"}, seam.Site{})}
	f.outer = f.tx.Root()
	first(f.outer)
	f.middle = f.enter(f.outer, true)
	first(f.middle)
	f.join = f.enter(f.middle, false)
	first(f.join)
	return f
}

func (f *family) enter(b *state.Block, savepoint bool) *state.Block {
	f.Helper()
	inner, err := b.Enter(&seam.Options{}, seam.Site{}, savepoint)
	require.NoError(f, err)
	return inner
}

// send is a statement of b that the server has worked on.
func (f *family) send(b *state.Block) []string {
	f.Helper()
	require.NoError(f, b.Usable())
	p, first, err := b.Prefix(nil, false)
	require.NoError(f, err)
	require.Equal(f, f.tx.Phase() == state.Unsent, first)
	f.tx.Sent(p)
	return p.Statements
}

// leave ends the nested blocks as they want.
func (f *family) leave(blocks ...*state.Block) {
	f.Helper()
	for _, b := range blocks {
		kept, err := b.EndNested(state.Return{})
		require.NoError(f, err)
		require.True(f, kept)
	}
}

const (
	open, failed, ended = "open", "failed", "ended"
)

// state is where b stands, as those outside can tell.
func (f *family) state(b *state.Block) string {
	err := b.Usable()
	switch {
	case errors.Is(err, atomic.ErrRollbackRequired):
		return failed
	case errors.Is(err, atomic.ErrBlockClosed):
		return ended
	}
	return open // though perhaps with a block inside it
}

func (f *family) states() [3]string {
	return [3]string{f.state(f.outer), f.state(f.middle), f.state(f.join)}
}

// The rows of the table in state.go, in its order.
func TestStates_TheTable(t *testing.T) {
	t.Run("open, a statement fails, failed", func(t *testing.T) {
		f := newFamily(t)
		f.join.Fail(errFirst)
		require.Equal(t, [3]string{open, open, failed}, f.states())
		require.Equal(t, errFirst, f.join.Cause())
		f.join.Fail(errLater)
		require.Equal(t, errFirst, f.join.Cause(), "the first one counts")
	})
	t.Run("open, the transaction is lost, every block failed", func(t *testing.T) {
		f := newFamily(t)
		f.send(f.join)
		f.join.Lose(errFirst)
		require.Equal(t, [3]string{failed, failed, failed}, f.states())
		require.Equal(t, state.Lost, f.tx.Phase())
		for _, b := range []*state.Block{f.outer, f.middle, f.join} {
			require.Equal(t, errFirst, b.Cause())
		}
	})
	t.Run("open, a joined block inside it fails, failed", func(t *testing.T) {
		f := newFamily(t)
		_, err := f.join.EndNested(state.Return{Err: errFirst})
		require.Equal(t, errFirst, err)
		require.Equal(t, [3]string{open, failed, ended}, f.states())
		require.Equal(t, errFirst, f.middle.Cause())
		kept, err := f.middle.EndNested(state.Return{})
		require.False(t, kept)
		require.ErrorIs(t, err, errFirst)
		require.Equal(t, [3]string{open, ended, ended}, f.states(), "a savepoint's block takes nothing else along")
	})
	t.Run("failed, a savepoint from before is rolled back to, open", func(t *testing.T) {
		f := newFamily(t)
		p, err := f.join.Savepoint()
		require.NoError(t, err)
		f.join.Fail(errFirst)
		require.NoError(t, p.Rollback(f.join, false))
		require.Equal(t, [3]string{open, open, open}, f.states())
		require.NoError(t, f.join.Cause())
		f.send(f.join)
	})
	t.Run("open, fn returned, ended", func(t *testing.T) {
		f := newFamily(t)
		f.leave(f.join)
		require.Equal(t, [3]string{open, open, ended}, f.states())
		f.leave(f.middle)
		require.Equal(t, [3]string{open, ended, ended}, f.states())
		require.True(t, f.tx.End(state.Return{}).Keep)
		require.Equal(t, [3]string{ended, ended, ended}, f.states())
	})
	t.Run("any, fn left in any other way, ended", func(t *testing.T) {
		for _, prepare := range []func(f *family){func(*family) {}, func(f *family) { f.join.Fail(errFirst) }, func(f *family) { f.join.Lose(errFirst) }} {
			f := newFamily(t)
			prepare(f)
			kept, err := f.join.EndNested(state.Return{Err: errLater})
			require.False(t, kept)
			require.ErrorIs(t, err, errLater)
			require.Equal(t, ended, f.state(f.join))
			_, _, done := f.tx.Expire(errLater)
			require.True(t, done)
			require.Equal(t, [3]string{ended, ended, ended}, f.states())
		}
	})
	t.Run("Unsent, the first statement is sent, Begun", func(t *testing.T) {
		f := newFamily(t)
		require.Equal(t, state.Unsent, f.tx.Phase())
		require.Equal(t, []string{"BEGIN", "SAVEPOINT hf_1"}, f.send(f.join))
		require.Equal(t, state.Begun, f.tx.Phase())
		require.Empty(t, f.send(f.join))
	})
	t.Run("Begun, the server has ended it, Lost", func(t *testing.T) {
		f := newFamily(t)
		f.send(f.join)
		f.middle.Lose(errFirst)
		require.Equal(t, state.Lost, f.tx.Phase())
	})
	t.Run("any, the outermost block ends, Over", func(t *testing.T) {
		for _, end := range []func(f *family){
			func(f *family) { f.tx.End(state.Return{}) },
			func(f *family) { f.tx.Expire(errFirst) },
			func(f *family) { f.tx.Forget() },
		} {
			for _, prepare := range []func(f *family){func(*family) {}, func(f *family) { f.send(f.join) }, func(f *family) { f.join.Lose(errFirst) }} {
				f := newFamily(t)
				prepare(f)
				end(f)
				require.Equal(t, state.Over, f.tx.Phase())
				require.Equal(t, [3]string{ended, ended, ended}, f.states())
			}
		}
	})
}

// From failed, no way leads to a commit but through the rollback to a savepoint.
func TestStates_FailedDoesNotCommit(t *testing.T) {
	for name, try := range map[string]func(f *family){
		"at once":        func(*family) {},
		"by SetRollback": func(f *family) { require.Error(t, f.outer.SetRollback(false)) },
		"by a nested one": func(f *family) {
			_, err := f.outer.Enter(&seam.Options{}, seam.Site{}, true)
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		},
		"by a savepoint":  func(f *family) { _, err := f.outer.Savepoint(); require.ErrorIs(t, err, atomic.ErrRollbackRequired) },
		"by failing more": func(f *family) { f.outer.Fail(errLater) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFamily(t)
			f.leave(f.join, f.middle)
			f.send(f.outer)
			f.outer.Fail(errFirst)
			try(f)
			require.Equal(t, failed, f.state(f.outer))
			require.True(t, f.outer.NeedsRollback())
			end := f.tx.End(state.Return{})
			require.False(t, end.Keep)
			require.Equal(t, state.Begun, end.Was)
			require.ErrorIs(t, end.Result, atomic.ErrRollbackRequired)
			require.ErrorIs(t, end.Result, errFirst)
		})
	}
	t.Run("by releasing a savepoint", func(t *testing.T) {
		f := newFamily(t)
		p, err := f.join.Savepoint()
		require.NoError(t, err)
		f.join.Fail(errFirst)
		require.ErrorIs(t, p.Release(f.join, false), atomic.ErrRollbackRequired)
		require.Equal(t, failed, f.state(f.join))
	})
	t.Run("by ending well all the same", func(t *testing.T) {
		f := newFamily(t)
		f.join.Fail(errFirst)
		kept, err := f.join.EndNested(state.Return{})
		require.False(t, kept)
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.Equal(t, failed, f.state(f.middle), "it had joined")
	})
}

// Lost is final.
func TestStates_LostIsFinal(t *testing.T) {
	f := newFamily(t)
	p, err := f.join.Savepoint()
	require.NoError(t, err)
	f.send(f.join)
	f.join.Lose(errFirst)
	require.ErrorIs(t, p.Rollback(f.join, false), atomic.ErrRollbackRequired)
	require.ErrorIs(t, p.Release(f.join, false), atomic.ErrRollbackRequired)
	f.join.Fail(errLater)
	f.join.Lose(errLater)
	require.Equal(t, errFirst, f.join.Cause())
	for _, b := range []*state.Block{f.join, f.middle} {
		kept, err := b.EndNested(state.Return{})
		require.False(t, kept)
		require.ErrorIs(t, err, errFirst)
	}
	require.Equal(t, state.Lost, f.tx.Phase())
	require.Equal(t, failed, f.state(f.outer))
	end := f.tx.End(state.Return{})
	require.False(t, end.Keep)
	require.Equal(t, state.Lost, end.Was)
	require.ErrorIs(t, end.Result, errFirst)
}

// Ended is final, and what comes after it changes nothing.
func TestStates_EndedIsFinal(t *testing.T) {
	f := newFamily(t)
	p, err := f.join.Savepoint()
	require.NoError(t, err)
	f.send(f.join)
	f.leave(f.join)
	f.join.Fail(errFirst)
	f.join.Lose(errFirst)
	require.Equal(t, [3]string{open, open, ended}, f.states(), "a block that has ended loses nothing")
	require.Equal(t, state.Begun, f.tx.Phase())
	require.ErrorIs(t, p.Rollback(f.join, false), atomic.ErrBlockClosed)
	require.ErrorIs(t, f.join.SetRollback(true), atomic.ErrBlockClosed)
	require.ErrorIs(t, f.join.Register(seam.Hook{}), atomic.ErrBlockClosed)
	require.True(t, f.join.Ended())
	require.False(t, f.join.NeedsRollback())
	kept, err := f.join.EndNested(state.Return{})
	require.False(t, kept)
	require.ErrorIs(t, err, atomic.ErrBlockClosed)
	f.leave(f.middle)
	require.True(t, f.tx.End(state.Return{}).Keep)
	end := f.tx.End(state.Return{})
	require.True(t, end.Expired)
	require.ErrorIs(t, end.Result, atomic.ErrBlockClosed)
	_, _, done := f.tx.Expire(errFirst)
	require.False(t, done)
	f.outer.Lose(errFirst)
	require.Equal(t, state.Over, f.tx.Phase())
}

// A statement whose answer comes after a time limit has ended the block.
func TestStates_WhatComesAfterExpire(t *testing.T) {
	f := newFamily(t)
	f.send(f.join)
	was, _, done := f.tx.Expire(errFirst)
	require.True(t, done)
	require.Equal(t, state.Begun, was)
	f.join.Fail(errLater)
	for _, b := range []*state.Block{f.outer, f.middle, f.join} {
		require.ErrorIs(t, b.Usable(), errFirst, "why it has ended")
		require.NotErrorIs(t, b.Usable(), errLater)
	}
	end := f.tx.End(state.Return{Err: errLater})
	require.True(t, end.Expired)
	require.ErrorIs(t, end.Result, errLater)
	require.ErrorIs(t, end.Result, errFirst)
}

// Only an open block without another one inside it sends.
func TestStates_TheInnermostSends(t *testing.T) {
	f := newFamily(t)
	require.NoError(t, f.join.Usable())
	require.Equal(t, f.join, f.tx.Nested())
	for _, b := range []*state.Block{f.outer, f.middle} {
		require.ErrorIs(t, b.Usable(), atomic.ErrOuterContext)
	}
	f.leave(f.join, f.middle)
	require.NoError(t, f.outer.Usable())
	require.Nil(t, f.tx.Nested())
}

func TestStates_WhoIsWho(t *testing.T) {
	f := newFamily(t)
	second, minute := time.Second, time.Minute
	f.outer.Opts.LockWait, f.middle.Opts.Explain = &second, true
	require.True(t, f.outer.Outermost())
	require.False(t, f.join.Outermost())
	require.Equal(t, 3, f.join.Depth())
	require.Equal(t, atomic.BlockInfo{Name: "outer", Depth: 1, Options: "LockTimeout(1s)"}, f.outer.Info())
	require.Equal(t, atomic.BlockInfo{Depth: 2, Options: "LockTimeout(1s), ExplainLocks"}, f.middle.Info())
	require.Equal(t, "outer", f.join.Name())
	require.Equal(t, &second, f.join.LockWait())
	require.True(t, f.join.Explains())
	require.False(t, f.outer.Explains())
	f.join.Opts.LockWait, f.join.Opts.Name = &minute, "join"
	require.Equal(t, &minute, f.join.LockWait())
	require.Equal(t, "join", f.join.Name())
	f.outer.Opts.LockWait, f.outer.Opts.Name = nil, ""
	require.Nil(t, f.middle.LockWait())
	require.Empty(t, f.middle.Name())
}
