package block_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// carries is a server on which a statement travels with COMMIT.
func carries() setup {
	return setup{engine: func(e *engine) backend.Engine { return carrying{e} }}
}

type carrying struct{ *engine }

func (e carrying) Wire(driverConn any) backend.Wire {
	return carrier{e.engine.Wire(driverConn).(*conn)}
}

// once runs Once for the key "k" with an fn that sends one statement.
func (s *script) once(ctx context.Context, opts ...atomic.Option) (string, error) {
	return atomic.Once(ctx, s.db, "k", func(ctx context.Context) (string, error) {
		return "done", s.exec(ctx, "UPDATE a")
	}, opts...)
}

// free has the server give the key away, so many times.
func (s *script) free(times int) {
	for range times {
		s.on("CLAIM", reply{affected: 1})
	}
}

func TestO07_TheResultTravelsWithCommit(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.free(1)
		got, err := s.once(t.Context(), atomic.Wait(time.Second))
		require.NoError(t, err)
		assert.Equal(t, "done", got)
		s.sent("BEGIN; SET WAIT 1s; CLAIM", "RESET WAIT; UPDATE a", "FINISH; COMMIT")
	}, carries())
	play(t, func(t *testing.T, s *script) { // where it cannot
		s.free(1)
		_, err := s.once(t.Context())
		require.NoError(t, err)
		s.sent("BEGIN; SET WAIT 0s; CLAIM", "RESET WAIT; UPDATE a", "FINISH", "COMMIT")
	})
}

func TestO07_TheClaimTravelsWithTheFirstStatement(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		_, err := s.once(t.Context(), atomic.ClaimLate())
		require.NoError(t, err)
		s.sent("BEGIN; LATE; UPDATE a", "FINISH; COMMIT")

		// fn has a block of its own inside: what is undone there leaves the claim.
		_, err = atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) {
			_ = s.do(ctx, func(ctx context.Context) error { return errors.Join(s.exec(ctx, "UPDATE b"), errAsked) })
			return 1, s.exec(ctx, "UPDATE c")
		}, atomic.ClaimLate())
		require.NoError(t, err)
		s.sent("BEGIN; LATE; SAVEPOINT hf_1; UPDATE b", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; UPDATE c", "FINISH; COMMIT")

		_, err = atomic.Once(t.Context(), s.db, "k", func(context.Context) (int, error) { return 1, nil }, atomic.ClaimLate())
		require.NoError(t, err, "fn sends nothing")
		s.sent("BEGIN; LATE; FINISH", "COMMIT")
	}, carries())
}

// Somebody was faster: what fn makes of the error of its first statement does not count.
func TestO01_ALateClaimIsRefused(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for _, returns := range []error{nil, errAsked, atomic.Rollback} {
			s.on("LATE", refuses(unique))
			s.free(1) // meanwhile the other was rolled back
			ran := 0
			got, err := atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) {
				if ran++; ran == 1 {
					_ = s.exec(ctx, "UPDATE a")
					return 1, returns
				}
				return 2, s.exec(ctx, "UPDATE b")
			}, atomic.ClaimLate(), atomic.Retry(3))
			require.NoError(t, err)
			assert.Equal(t, 2, got)
			s.sent("BEGIN; LATE; UPDATE a", "ROLLBACK", "BEGIN; SET WAIT 0s; CLAIM", "RESET WAIT; UPDATE b", "FINISH; COMMIT")
		}
	}, carries())
}

// Who only waited for the key is not in anybody's way: he comes again by himself. What
// fn meets is Retry's business.
func TestO03_AClaimThatMeetsOthers(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("CLAIM", refuses(deadlock), refuses(conflict))
		s.free(2)
		s.on("UPDATE a", refuses(deadlock))
		_, err := s.once(t.Context())
		require.ErrorIs(t, err, dialect.ErrDeadlock)
		_, err = s.once(t.Context())
		require.NoError(t, err)
		s.forget()

		s.on("CLAIM", refuses(deadlock))
		err = s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.once(ctx)
			return err
		})
		require.ErrorIs(t, err, dialect.ErrDeadlock, "inside a block")
		s.on("CLAIM", refuses(locked))
		_, err = s.once(t.Context())
		require.ErrorIs(t, err, atomic.ErrInProgress)
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		s.forget()

		s.on("CLAIM", refuses(deadlock), refuses(deadlock), refuses(deadlock))
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Nanosecond, errCaller)
		defer cancel()
		_, err = s.once(ctx)
		require.ErrorIs(t, err, errCaller)
		require.ErrorIs(t, err, dialect.ErrDeadlock)
		s.mu.Lock()
		s.replies["CLAIM"] = nil
		s.mu.Unlock()
	}, carries())
}

// The row cannot be completed: nothing is committed.
func TestO01_TheResultIsRefused(t *testing.T) {
	for _, setup := range []setup{carries(), {}} {
		play(t, func(t *testing.T, s *script) {
			s.free(1)
			s.on("FINISH", refuses(unnamed))
			_, err := s.once(t.Context())
			require.Error(t, err)
			require.NotErrorIs(t, err, errAsked)
		}, setup)
		play(t, func(t *testing.T, s *script) {
			s.free(1)
			s.on("COMMIT", refuses(gone))
			_, err := s.once(t.Context())
			require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		}, setup)
	}
}

// A late claim has written, though fn has only read.
func TestO01_TheCommitOfALateClaimHasNoAnswer(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("COMMIT", refuses(gone))
		_, err := atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) {
			hook := func(context.Context) error { return errAsked }
			require.NoError(t, errors.Join(atomic.OnCommit(ctx, s.db, hook), atomic.OnRollback(ctx, s.db, hook)))
			_, err := s.all(ctx, "SELECT a")
			return 1, err
		}, atomic.ClaimLate(), atomic.Retry(3))
		require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		require.NotErrorIs(t, err, errAsked)
		s.sent("BEGIN; LATE; SELECT a", "FINISH; COMMIT")
	}, carries())
	play(t, func(t *testing.T, s *script) {
		s.on("WHICH TRANSACTION", reply{says: "7"})
		s.on("COMMIT", refuses(gone))
		s.on("WHAT BECAME OF 7", reply{says: true})
		got, err := atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) {
			_, err := s.all(ctx, "SELECT a")
			return 1, err
		}, atomic.ClaimLate(), atomic.ResolveCommit())
		require.NoError(t, err)
		require.Equal(t, 1, got)
	})
}

// queueing is an engine on which transactions that write wait for each other in any case.
type queueing struct{ carrying }

func (e queueing) Once() backend.OnceTexts {
	texts := e.carrying.Once()
	texts.Queues = true
	return texts
}

// Inside a block the server does the waiting, which sees who else waits for that block;
// where it queues all who write, the library does.
func TestO03_WhoWaitsInsideABlock(t *testing.T) {
	for name, engine := range map[string]func(e *engine) backend.Engine{
		"the server": func(e *engine) backend.Engine { return carrying{e} },
		"we":         func(e *engine) backend.Engine { return queueing{carrying{e}} },
	} {
		play(t, func(t *testing.T, s *script) {
			s.free(1)
			goOn := make(chan struct{})
			first := aside(func() error {
				_, err := atomic.Once(t.Context(), s.db, "k", func(context.Context) (int, error) { <-goOn; return 1, nil })
				return err
			})
			settle()
			s.forget()
			if name == "the server" {
				s.on("CLAIM", refuses(locked))
			}
			err := s.do(t.Context(), func(ctx context.Context) error { _, err := s.once(ctx, atomic.Wait(time.Second)); return err })
			require.ErrorIs(t, err, atomic.ErrInProgress)
			if name == "the server" {
				require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
				s.sent("2: BEGIN; SAVEPOINT hf_1; SET WAIT 1s; CLAIM", "2: ROLLBACK; RESET WAIT")
			} else {
				s.sent()
			}
			close(goOn)
			require.NoError(t, first())
		}, setup{engine: engine})
	}
}

// A key is in progress to the end of its transaction, however that comes.
func TestO03_KeysAreSettled(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.free(4)
		waits := make(chan struct{})
		_, err := atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) {
			_, err := s.once(context.WithoutCancel(t.Context()))
			require.ErrorIs(t, err, atomic.ErrInProgress)
			<-ctx.Done()
			settle()
			_, err = s.once(t.Context()) // the time limit has ended it
			require.NoError(t, err)
			return 0, context.Cause(ctx)
		}, atomic.Timeout(time.Second))
		require.ErrorIs(t, err, atomic.ErrTimeout)
		result := aside(func() error {
			_, err := atomic.Once(t.Context(), s.db, "k", func(context.Context) (int, error) {
				<-waits
				return 0, errAsked
			})
			return err
		})
		second := aside(func() error {
			_, err := s.once(t.Context(), atomic.Wait(time.Hour))
			return err
		})
		close(waits)
		require.ErrorIs(t, result(), errAsked)
		require.NoError(t, second())
	}, carries())
}
