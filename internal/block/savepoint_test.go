package block_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

func (s *script) savepoint(ctx context.Context) *atomic.Point {
	s.t.Helper()
	p, err := atomic.Savepoint(ctx, s.db)
	require.NoError(s.t, err)
	return p
}

func TestB24_SavepointsByHand(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			p := s.savepoint(ctx)
			s.must(ctx, "INSERT a")
			s.sent("BEGIN; SAVEPOINT hf_1; INSERT a")
			require.NoError(t, p.Rollback(ctx))
			s.must(ctx, "INSERT b")
			s.sent("ROLLBACK TO SAVEPOINT hf_1; INSERT b") // it stays
			require.NoError(t, p.Rollback(ctx))
			require.NoError(t, p.Release(ctx))
			s.must(ctx, "INSERT c")
			s.sent("ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT c")
			for _, act := range []func(context.Context) error{p.Rollback, p.Release} {
				require.ErrorIs(t, act(ctx), atomic.ErrSavepointEnded)
			}
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			return nil
		}))
		s.sent("COMMIT")
	})
}

func TestB24_RollbackRevivesAFailedBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT b", refuses(unique))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			p := s.savepoint(ctx)
			require.Error(t, s.exec(ctx, "INSERT b"))
			require.ErrorIs(t, p.Release(ctx), atomic.ErrRollbackRequired)
			require.NoError(t, p.Rollback(ctx))
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			s.must(ctx, "INSERT c")
			return nil
		}))
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; INSERT c", "COMMIT")
	})
}

// After the whole transaction has ended there is no way back.
func TestB24_RollbackDoesNotRevive(t *testing.T) {
	for name, r := range map[string]reply{"a deadlock": {err: deadlock, over: true}, "the connection goes": {err: gone}} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("INSERT b", r)
				err := s.do(t.Context(), func(ctx context.Context) error {
					p := s.savepoint(ctx)
					require.Error(t, s.exec(ctx, "INSERT b"))
					require.ErrorIs(t, p.Rollback(ctx), atomic.ErrRollbackRequired)
					require.True(t, atomic.NeedsRollback(ctx, s.db))
					return nil
				})
				require.ErrorIs(t, err, r.err)
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			})
		})
	}
}

func TestB24_AnEarlierOneTakesTheLaterOnesWithIt(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			first := s.savepoint(ctx)
			s.must(ctx, "INSERT a")
			second := s.savepoint(ctx)
			s.must(ctx, "INSERT b")
			require.NoError(t, second.Rollback(ctx))
			require.NoError(t, first.Rollback(ctx))
			require.ErrorIs(t, second.Rollback(ctx), atomic.ErrSavepointEnded)
			s.must(ctx, "INSERT c")
			third := s.savepoint(ctx)
			s.must(ctx, "INSERT d")
			require.NoError(t, third.Release(ctx))
			require.NoError(t, first.Release(ctx))
			s.must(ctx, "INSERT e")
			fourth, fifth := s.savepoint(ctx), s.savepoint(ctx)
			s.must(ctx, "INSERT f")
			require.NoError(t, fourth.Release(ctx))
			require.ErrorIs(t, fifth.Release(ctx), atomic.ErrSavepointEnded)
			s.must(ctx, "INSERT g")
			return nil
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT a", "SAVEPOINT hf_2; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; INSERT c", "SAVEPOINT hf_2; INSERT d",
			"RELEASE SAVEPOINT hf_1; INSERT e", "SAVEPOINT hf_1; SAVEPOINT hf_2; INSERT f", "RELEASE SAVEPOINT hf_1; INSERT g", "COMMIT")
	})
}

func TestB24_OneThatWasNeverSent(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			for range 2 {
				p := s.savepoint(ctx)
				require.NoError(t, p.Rollback(ctx))
				require.NoError(t, p.Release(ctx))
			}
			s.must(ctx, "INSERT b")
			return nil
		}))
		s.sent("BEGIN; INSERT a", "INSERT b", "COMMIT")
	})
}

func TestB24_OfAnotherBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var p, nested *atomic.Point
		var inner context.Context
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			p = s.savepoint(ctx)
			s.must(ctx, "INSERT a")
			require.NoError(t, s.do(ctx, func(in context.Context) error {
				inner, nested = in, s.savepoint(in)
				require.ErrorIs(t, p.Rollback(in), atomic.ErrSavepointEnded, "with the ctx of a block inside")
				require.ErrorIs(t, p.Rollback(ctx), atomic.ErrOuterContext)
				return s.exec(in, "INSERT b")
			}))
			require.ErrorIs(t, p.Rollback(t.Context()), atomic.ErrSavepointEnded, "without a block")
			require.ErrorIs(t, nested.Rollback(inner), atomic.ErrBlockClosed)
			require.ErrorIs(t, nested.Release(ctx), atomic.ErrBlockClosed)
			rows, err := s.stream(ctx, "SELECT a")
			require.NoError(t, err)
			require.ErrorIs(t, p.Rollback(ctx), atomic.ErrRowsOpen)
			require.NoError(t, rows.Close())
			return p.Rollback(ctx)
		}))
		require.ErrorIs(t, p.Rollback(inner), atomic.ErrBlockClosed)
		_, err := atomic.Savepoint(t.Context(), s.db)
		require.ErrorIs(t, err, atomic.ErrNotInBlock)
	})
}

// Undoing waits for a statement that is under way, within ctx.
func TestB24_WhileAStatementIsUnderWay(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			p := s.savepoint(ctx)
			answer := make(chan struct{})
			s.on("INSERT a", reply{until: answer})
			insert := aside(func() error { return s.exec(ctx, "INSERT a") })
			impatient, cancel := context.WithTimeoutCause(ctx, time.Second, errCaller)
			defer cancel()
			require.ErrorIs(t, p.Rollback(impatient), errCaller)
			undo := aside(func() error { return p.Rollback(ctx) })
			close(answer)
			require.NoError(t, insert())
			require.NoError(t, undo())
			return nil
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT a", "ROLLBACK TO SAVEPOINT hf_1; COMMIT")
	})
}

// A savepoint of a session lives between two of its commits.
func TestB24_InASession(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx, err := atomic.OpenSession(t.Context(), s.db)
		require.NoError(t, err)
		_, err = atomic.Savepoint(ctx, s.db)
		require.ErrorIs(t, err, atomic.ErrNotInBlock, "autocommit is on")
		require.NoError(t, session.SetAutocommit(false))
		p := s.savepoint(ctx)
		s.on("INSERT a", refuses(unique))
		require.ErrorIs(t, s.exec(ctx, "INSERT a"), dialect.ErrUniqueViolation)
		require.NoError(t, p.Rollback(ctx))
		s.must(ctx, "INSERT b")
		require.NoError(t, session.Commit(ctx))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT a", "ROLLBACK TO SAVEPOINT hf_1; INSERT b", "COMMIT")
		require.ErrorIs(t, p.Rollback(ctx), atomic.ErrBlockClosed)
		require.NoError(t, session.Close())
		require.ErrorIs(t, p.Rollback(ctx), atomic.ErrSessionClosed)
	})
}

// What undoes a part that failed goes ahead of what is asked before COMMIT, where an
// answer needs that, and is said once.
func TestB07_WhatIsAskedBeforeCommitComesAfterwards(t *testing.T) {
	for where, sent := range map[spelling][]string{
		transactional: {"ROLLBACK TO SAVEPOINT hf_1; WHICH TRANSACTION", "NOTE tx1; COMMIT"},
		inside:        {"WHICH TRANSACTION", "ROLLBACK TO SAVEPOINT hf_1; NOTE tx1; COMMIT"},
	} {
		play(t, func(t *testing.T, s *script) {
			s.on("INSERT b", refuses(unique))
			s.on("WHICH TRANSACTION", reply{says: "tx1"})
			require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }), dialect.ErrUniqueViolation)
				s.forget()
				return nil
			}, atomic.ResolveCommit()))
			s.sent(sent...)
		}, setup{spelling: where})
	}
}
