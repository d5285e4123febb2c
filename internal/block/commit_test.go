package block_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

// diary has hooks of both kinds write down that they ran.
type diary []string

func (d *diary) keep(ctx context.Context, t *testing.T, s *script, name string) {
	t.Helper()
	write := func(sign string) func(context.Context) error {
		return func(context.Context) error { *d = append(*d, sign+name); return nil }
	}
	require.NoError(t, atomic.OnCommit(ctx, s.db, write("+")))
	require.NoError(t, atomic.OnRollback(ctx, s.db, write("-")))
}

// insert is a block with one statement and a hook of each kind.
func (d *diary) insert(t *testing.T, s *script) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		d.keep(ctx, t, s, "insert")
		return s.exec(ctx, "INSERT a")
	}
}

// notSent is a connection that was found closed before anything left.
var notSent = &backend.NotSentError{Closed: true, Err: unnamed}

// What COMMIT is answered with decides what Do says, and which hooks run.
func TestB12_TheAnswerToCommit(t *testing.T) {
	for name, c := range map[string]struct {
		reply   reply
		is, not error
		hooks   diary
		sent    []string // after COMMIT
		pooled  bool
	}{
		"committed":            {reply{}, nil, nil, diary{"+insert"}, nil, true},
		"rolled back":          {reply{err: backend.ErrCommitRefused, over: true}, backend.ErrCommitRefused, atomic.ErrCommitUnknown, diary{"-insert"}, nil, false},
		"refused":              {reply{err: unique, over: true}, dialect.ErrUniqueViolation, atomic.ErrCommitUnknown, diary{"-insert"}, nil, false},
		"refused and open":     {refuses(locked), dialect.ErrLockNotAvailable, atomic.ErrCommitUnknown, diary{"-insert"}, []string{"ROLLBACK"}, false},
		"no answer":            {refuses(gone), atomic.ErrCommitUnknown, atomic.ErrRollbackRequired, nil, nil, false},
		"a farewell":           {refuses(farewell), atomic.ErrCommitUnknown, nil, nil, nil, false},
		"none that has a code": {refuses(unnamed), atomic.ErrCommitUnknown, nil, nil, nil, false},
		"not sent":             {refuses(notSent), dialect.ErrConnectionLost, atomic.ErrCommitUnknown, diary{"-insert"}, []string{"ROLLBACK"}, false},
		"no answer in time":    {reply{silent: true}, atomic.ErrCommitUnknown, nil, nil, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				var d diary
				s.on("COMMIT", c.reply)
				err := s.do(t.Context(), d.insert(t, s))
				if c.is == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, c.is)
					var blame *atomic.BlockError
					require.ErrorAs(t, err, &blame)
					require.Equal(t, 1, blame.Block.Depth)
				}
				if c.not != nil {
					require.NotErrorIs(t, err, c.not)
				}
				require.Equal(t, c.hooks, d)
				s.sent(append([]string{"BEGIN; INSERT a", "COMMIT"}, c.sent...)...)
				require.Equal(t, c.pooled, len(s.connected()) == 1)
			})
		})
	}
}

// A control statement in front of COMMIT that is refused is an answer; one that
// gets none is not.
func TestB25_WhatTravelsWithCommitIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		err     error
		unknown bool
	}{
		"an answer": {&serverError{code: "1305"}, false}, "none": {gone, true}, "none with a name": {unnamed, true}, "a farewell": {farewell, true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("RESET WAIT", reply{err: c.err, over: true})
				err := s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.LockTimeout(time.Second))
				require.Error(t, err)
				require.Equal(t, c.unknown, errors.Is(err, atomic.ErrCommitUnknown))
				require.ErrorContains(t, err, "RESET WAIT was refused")
				require.Empty(t, s.connected())
			})
		})
	}
}

func TestB11_ARunningCommitHasItsOwnLimit(t *testing.T) {
	for name, c := range map[string]struct{ setting, limit time.Duration }{
		"the default": {0, 30 * time.Second}, "a setting": {time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				ctx, cancel := context.WithCancel(t.Context())
				s.on("COMMIT", reply{silent: true})
				start := time.Now()
				result := aside(func() error { return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }) })
				cancel() // which a running COMMIT does not hear
				require.ErrorIs(t, result(), atomic.ErrCommitUnknown)
				require.Equal(t, c.limit, time.Since(start))
			}, setup{settings: block.Settings{CommitTimeout: c.setting}})
		})
	}
	play(t, func(t *testing.T, s *script) {
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan struct{})
		s.on("COMMIT", reply{until: answer})
		result := aside(func() error { return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }) })
		cancel()
		close(answer)
		require.NoError(t, result())
	})
}

// With ResolveCommit another connection is asked.
func TestB12_ResolveCommit(t *testing.T) {
	for name, c := range map[string]struct {
		outcome []reply
		is      error
		unknown bool
		hooks   diary
		asked   int
	}{
		"committed":    {[]reply{{says: true}}, nil, false, diary{"+insert"}, 1},
		"rolled back":  {[]reply{{says: false}}, dialect.ErrConnectionLost, false, diary{"-insert"}, 1},
		"asked again":  {[]reply{{err: gone}, {err: unnamed}, {says: true}}, nil, false, diary{"+insert"}, 3},
		"nobody knows": {[]reply{{silent: true}}, atomic.ErrCommitUnknown, true, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				var d diary
				s.on("WHICH TRANSACTION", reply{says: "tx7"})
				s.on("COMMIT", refuses(gone))
				s.on("WHAT BECAME OF tx7", c.outcome...)
				start := time.Now()
				err := s.do(t.Context(), d.insert(t, s), atomic.ResolveCommit())
				if c.is == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, c.is)
				}
				require.Equal(t, c.unknown, errors.Is(err, atomic.ErrCommitUnknown))
				if c.unknown {
					require.ErrorIs(t, err, context.DeadlineExceeded, "why that is not known either")
				}
				require.Equal(t, c.hooks, d)
				require.Equal(t, c.unknown, time.Since(start) >= 30*time.Second)
				s.mu.Lock()
				defer s.mu.Unlock()
				require.Equal(t, []string{"BEGIN; INSERT a", "WHICH TRANSACTION", "NOTE tx7; COMMIT"}, s.arrived[:3])
				require.Len(t, s.arrived[3:], c.asked)
				for i, line := range s.arrived[3:] {
					require.Contains(t, line, ": WHAT BECAME OF tx7", "on another connection: %d", i)
				}
			})
		})
	}
}

// A question that failed leaves its connection in a state that nobody knows.
func TestB13_TheConnectionThatWasAsked(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("WHICH TRANSACTION", reply{says: "tx7"})
		s.on("COMMIT", refuses(gone))
		s.on("WHAT BECAME OF tx7", refuses(unnamed), reply{says: true})
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.ResolveCommit()))
		s.sent("BEGIN; INSERT a", "WHICH TRANSACTION", "NOTE tx7; COMMIT", "2: WHAT BECAME OF tx7", "3: WHAT BECAME OF tx7")
		require.Equal(t, []int{3}, s.connected())
	})
	play(t, func(t *testing.T, s *script) {
		s.on("WHICH TRANSACTION", reply{says: "tx7"})
		s.on("COMMIT", refuses(gone))
		s.on("WHAT BECAME OF tx7", reply{says: true})
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.ResolveCommit()))
		require.Equal(t, []int{2}, s.connected(), "one that has answered is kept")
	})
}

// The server is on its way back; and the old connection must not keep anybody
// waiting.
func TestB12_ResolveCommitOnTheOnlyConnection(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("WHICH TRANSACTION", reply{says: "tx7"})
		s.on("COMMIT", refuses(gone))
		s.on("WHAT BECAME OF tx7", reply{says: true})
		s.on("TAKE kept", reply{rows: values(1)})
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, atomic.AdvisoryLock(ctx, s.db, "kept")) // it went with the connection
			s.must(ctx, "INSERT a")
			s.refuse(unnamed)
			time.AfterFunc(10*time.Second, func() { s.refuse(nil) })
			return nil
		}, atomic.ResolveCommit()))
		s.sent("BEGIN; TAKE kept", "INSERT a", "WHICH TRANSACTION", "NOTE tx7; COMMIT", "2: WHAT BECAME OF tx7")
	}, setup{engine: locking, room: 1})
}

func TestB12_ResolveCommitAsksBesideThePool(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("WHICH TRANSACTION", reply{says: "tx7"})
		s.on("COMMIT", refuses(gone))
		s.on("WHAT BECAME OF tx7", reply{says: true})
		other, err := s.pool.Conn(t.Context()) // somebody else's, and the pool is full
		require.NoError(t, err)
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return nil
		}, atomic.ResolveCommit()))
		require.NoError(t, other.Close())
		require.Equal(t, []int{1}, s.connected(), "what was made beside the pool is not kept")
	}, setup{room: 2, reserve: true})
}

func TestB12_ResolveCommitWithNothingToFindOut(t *testing.T) {
	send := func(st block.Statement) func(ctx context.Context, s *script) error {
		return func(ctx context.Context, s *script) error { _, err := s.db.Exec(ctx, st); return err }
	}
	for name, c := range map[string]struct {
		opts []atomic.Option
		fn   func(ctx context.Context, s *script) error
		kind error
		sent []string
	}{
		"nothing was written": {nil, send(block.Statement{SQL: "SELECT a", Built: true}), dialect.ErrConnectionLost, []string{"BEGIN; SELECT a", "COMMIT"}},
		"read only":           {[]atomic.Option{atomic.ReadOnly()}, send(block.Statement{SQL: "SELECT a"}), dialect.ErrConnectionLost, []string{"BEGIN READ ONLY; SELECT a", "COMMIT"}},
		"as the server says":  {nil, send(block.Statement{SQL: "INSERT a"}), dialect.ErrConnectionLost, []string{"BEGIN; INSERT a", "WHICH TRANSACTION", "COMMIT"}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("COMMIT", refuses(gone))
				err := s.do(t.Context(), func(ctx context.Context) error { return c.fn(ctx, s) }, append(c.opts, atomic.ResolveCommit())...)
				require.ErrorIs(t, err, c.kind, "what was read may not have been serializable (B1)")
				require.ErrorContains(t, err, "has written nothing")
				require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
				s.sent(c.sent...)
			})
		})
	}
}

func TestB12_ATransactionThatCannotBeMarked(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var d diary
		s.on("WHICH TRANSACTION", refuses(&serverError{code: "1146"}))
		err := s.do(t.Context(), d.insert(t, s), atomic.ResolveCommit())
		require.ErrorContains(t, err, "ResolveCommit could not mark the transaction")
		require.ErrorContains(t, err, "1146")
		s.sent("BEGIN; INSERT a", "WHICH TRANSACTION", "ROLLBACK")
		require.Equal(t, diary{"-insert"}, d)
		require.Empty(t, s.connected())
	})
}

// An answer needs no resolving.
func TestB25_ResolveCommitAndAnAnswer(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("WHICH TRANSACTION", reply{says: "tx7"})
		s.on("COMMIT", reply{err: conflict, over: true})
		err := s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.ResolveCommit())
		require.ErrorIs(t, err, dialect.ErrSerializationFailure)
		require.ErrorContains(t, err, "COMMIT failed; the block was rolled back")
		s.sent("BEGIN; INSERT a", "WHICH TRANSACTION", "NOTE tx7; COMMIT")
	})
}
