package block_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

func TestB04_AFailureUndoesItsOwnPart(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT b", refuses(unique))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			err := s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") })
			require.ErrorIs(t, err, dialect.ErrUniqueViolation)
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			s.must(ctx, "INSERT c")
			return nil
		}))
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT c", "COMMIT")
	})
}

// fn hides the failure of a nested block's statement: that block is undone all
// the same, and the error says so.
func TestB06_ANestedBlockSwallows(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT b", refuses(unique))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			err := s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				_ = s.exec(ctx, "INSERT b")
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			require.ErrorIs(t, err, dialect.ErrUniqueViolation)
			var blame *atomic.BlockError
			require.ErrorAs(t, err, &blame)
			require.Equal(t, 2, blame.Block.Depth)
			return nil
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT a", "INSERT b", "ROLLBACK TO SAVEPOINT hf_1; COMMIT")
	})
}

func TestB05_AJoinedBlock(t *testing.T) {
	for name, join := range map[string]atomic.Option{
		"NoSavepoint": atomic.NoSavepoint(), "Join": atomic.Propagation(atomic.Join), "Mandatory": atomic.Propagation(atomic.Mandatory),
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				inner := func(result error) func(context.Context) error {
					return func(ctx context.Context) error {
						s.must(ctx, "INSERT b")
						return result
					}
				}
				require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
					s.must(ctx, "INSERT a")
					return s.do(ctx, inner(nil), join)
				}))
				s.sent("BEGIN; INSERT a", "INSERT b", "COMMIT")

				err := s.do(t.Context(), func(ctx context.Context) error {
					require.Equal(t, errAsked, s.do(ctx, inner(errAsked), join))
					require.True(t, atomic.NeedsRollback(ctx, s.db))
					require.ErrorIs(t, s.exec(ctx, "INSERT c"), atomic.ErrRollbackRequired)
					return nil
				})
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
				require.ErrorIs(t, err, errAsked)
				s.sent("BEGIN; INSERT b", "ROLLBACK")

				// A rollback that it asks for is not the wish of the outer one.
				err = s.do(t.Context(), func(ctx context.Context) error {
					require.NoError(t, s.do(ctx, inner(atomic.Rollback), join))
					return s.exec(ctx, "INSERT c")
				})
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
				require.NotErrorIs(t, err, atomic.Rollback)
				require.ErrorContains(t, err, "the joined block asked for a rollback")
				s.sent("BEGIN; INSERT b", "ROLLBACK")

				// Its failure is undone with the nearest savepoint.
				require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
					require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
						_ = s.do(ctx, inner(errAsked), join)
						return nil
					}), errAsked)
					return s.exec(ctx, "INSERT c")
				}))
				s.sent("BEGIN; SAVEPOINT hf_1; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT c", "COMMIT")
			})
		})
	}
}

func TestB14_DurableInsideABlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			err := s.do(ctx, func(context.Context) error { t.Error("fn ran"); return nil }, atomic.Durable())
			require.ErrorIs(t, err, atomic.ErrDurable)
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			return s.exec(ctx, "INSERT a")
		}, atomic.Durable()))
		s.sent("BEGIN; INSERT a", "COMMIT")
	})
}

// saysWhy: an ended ctx is the reason, and the error says of which block and what became
// of it.
func saysWhy(t *testing.T, err error, depth int, reason string) {
	t.Helper()
	require.ErrorIs(t, err, errCaller)
	var of *atomic.BlockError
	require.ErrorAs(t, err, &of)
	require.Equal(t, depth, of.Block.Depth)
	require.Regexp(t, `^holdfast: block "part" \(depth \d, script_test\.go:\d+\): `+reason+": "+errCaller.Error()+"$", err.Error())
}

func TestB11_ACtxThatEndsInANestedBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			inner, cancel := context.WithCancelCause(ctx)
			saysWhy(t, s.do(inner, func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				cancel(errCaller)
				return nil
			}, atomic.Name("part")), 2, "ctx ended before fn returned nil; the block was rolled back")
			saysWhy(t, s.do(inner, never(t), atomic.Name("part")), 2, "ctx had ended before the block began; fn has not run")
			return s.exec(ctx, "INSERT b")
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT a", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT b", "COMMIT")
	})
}

// The ctx of the outer block has ended: a nested block that returned nil is
// undone, and so is the outer one.
func TestB11_CancelledBeforeTheCommit(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := s.do(ctx, func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			cancel(errCaller)
			require.True(t, atomic.NeedsRollback(ctx, s.db))
			return nil
		}, atomic.Name("part"))
		saysWhy(t, err, 1, "ctx ended before fn returned nil; the block was rolled back")
		s.sent("BEGIN; INSERT a", "ROLLBACK") // with a ctx of its own
		require.Equal(t, []int{1}, s.connected())

		saysWhy(t, s.do(ctx, never(t), atomic.Name("part")), 1, "ctx had ended before the block began; fn has not run")

		ctx, cancel = context.WithCancelCause(t.Context())
		err = s.do(ctx, func(ctx context.Context) error {
			cancel(errCaller)
			err := s.exec(ctx, "INSERT a")
			require.ErrorIs(t, err, errCaller)
			var failed *atomic.FailedError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, 1, failed.Block.Depth)
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		require.ErrorIs(t, err, errCaller)
		s.sent()
	})
}

// fn's own error comes back together with what ended its ctx, once.
func TestB11_AnErrorAndAnEndedCtx(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := s.do(ctx, func(context.Context) error { cancel(errCaller); return errAsked })
		require.ErrorIs(t, err, errAsked)
		require.ErrorIs(t, err, errCaller)
		require.EqualError(t, err, errAsked.Error()+" (before that: "+errCaller.Error()+")")
		ctx, cancel = context.WithCancelCause(t.Context())
		require.Equal(t, errCaller, s.do(ctx, func(ctx context.Context) error { cancel(errCaller); return context.Cause(ctx) }))
	})
}

// A statement that waits when its ctx ends: the driver closes the connection, or
// the server stops the statement.
func TestB11_CancelledWhileTheServerWorks(t *testing.T) {
	for name, c := range map[string]struct {
		reply  reply
		server bool // its word is what counts
		every  bool // the transaction is lost
	}{
		"the connection goes":         {reply{silent: true}, false, true},
		"the server stops":            {reply{silent: true, patient: true, err: canceled}, false, false},
		"the driver hears it":         {reply{silent: true, patient: true}, false, false},
		"the server says what it was": {reply{silent: true, patient: true, err: unique}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("UPDATE a", c.reply)
				_ = s.do(t.Context(), func(ctx context.Context) error {
					s.must(ctx, "INSERT a")
					err := s.do(ctx, func(ctx context.Context) error {
						ctx, cancel := context.WithTimeoutCause(ctx, time.Second, errCaller)
						defer cancel()
						return s.exec(ctx, "UPDATE a")
					})
					require.Equal(t, c.every, atomic.NeedsRollback(ctx, s.db))
					if c.server {
						require.ErrorIs(t, err, dialect.ErrUniqueViolation)
						require.NotErrorIs(t, err, errCaller)
					} else {
						require.ErrorIs(t, err, errCaller)
						var e *dialect.Error
						require.ErrorAs(t, err, &e, "what the driver made of it")
						require.ErrorContains(t, err, "UPDATE a: "+errCaller.Error())
					}
					return nil
				})
			})
		})
	}
}
