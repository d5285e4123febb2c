package block_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

const guardHolds = "ROLLBACK TO SAVEPOINT hf_guard"

// A statement that may end the transaction unseen stands behind a guard. If it
// fails, the guard is asked at once: the server's error does not tell.
func TestB08_TheGuardIsAsked(t *testing.T) {
	call := func(s *script) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return s.exec(ctx, "CALL b")
		}
	}
	play(t, func(t *testing.T, s *script) { // it holds
		s.on("CALL b", refuses(unique))
		err := s.do(t.Context(), call(s))
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.NotErrorIs(t, err, atomic.ErrTransactionEnded)
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_guard; CALL b", guardHolds, "ROLLBACK")
		require.Equal(t, []int{1}, s.connected())
	})
	play(t, func(t *testing.T, s *script) { // it is gone: something has committed
		s.on("CALL b", refuses(unique))
		s.on(guardHolds, reply{err: &serverError{code: "1305"}, over: true})
		err := s.do(t.Context(), call(s))
		require.ErrorIs(t, err, atomic.ErrTransactionEnded)
		require.ErrorContains(t, err, "look before doing the work again")
		require.Empty(t, s.connected())
	})
	play(t, func(t *testing.T, s *script) { // it is gone by what rolls back
		s.on("CALL b", refuses(deadlock))
		s.on(guardHolds, reply{err: &backend.EndedError{RolledBack: true, Err: deadlock}, over: true})
		err := s.do(t.Context(), call(s))
		require.ErrorIs(t, err, dialect.ErrDeadlock)
		require.NotErrorIs(t, err, atomic.ErrTransactionEnded)
	})
	play(t, func(t *testing.T, s *script) { // nobody can be asked
		s.on("CALL b", refuses(gone))
		err := s.do(t.Context(), call(s))
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		require.ErrorIs(t, err, atomic.ErrTransactionEnded, "what came before the CALL may be committed")
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_guard; CALL b")
	})
	play(t, func(t *testing.T, s *script) { // it was never sent
		err := s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return s.exec(ctx, "CALL b", make(chan int))
		})
		require.ErrorIs(t, err, errUnbindable)
		s.sent("BEGIN; INSERT a", "ROLLBACK")
	})
}

// The guard is asked before ROLLBACK, too: fn may have failed for another reason.
func TestB08_TheGuardIsAskedBeforeTheRollback(t *testing.T) {
	fails := func(s *script) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			s.must(ctx, "INSERT a", "CALL b")
			return errAsked
		}
	}
	play(t, func(t *testing.T, s *script) {
		require.Equal(t, errAsked, s.do(t.Context(), fails(s)))
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_guard; CALL b", guardHolds, "ROLLBACK")
	})
	play(t, func(t *testing.T, s *script) {
		s.on(guardHolds, reply{err: &serverError{code: "1305"}, over: true})
		err := s.do(t.Context(), fails(s))
		require.ErrorIs(t, err, atomic.ErrTransactionEnded)
		require.ErrorIs(t, err, errAsked)
		require.Empty(t, s.connected())
	})
	// That it held behind one statement says nothing of the next.
	play(t, func(t *testing.T, s *script) {
		s.on("CALL b", refuses(unique))
		require.Equal(t, errAsked, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			require.Error(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "CALL b") }))
			s.must(ctx, "CALL c")
			return errAsked
		}))
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_1; SAVEPOINT hf_guard; CALL b", guardHolds,
			"RELEASE SAVEPOINT hf_guard; ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; SAVEPOINT hf_guard; CALL c", guardHolds, "ROLLBACK")
	})
}

// A server that is the writer no more keeps its connection from being used again,
// unless the block only wanted to read.
func TestB13_AWriterThatWasDemoted(t *testing.T) {
	readOnly := &serverError{kind: dialect.ErrReadOnly, code: "1290"}
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT a", refuses(readOnly))
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }), dialect.ErrReadOnly)
		require.Empty(t, s.connected())
	})
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT a", refuses(readOnly))
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.ReadOnly()), dialect.ErrReadOnly)
		require.Equal(t, []int{1}, s.connected())
	})
}
