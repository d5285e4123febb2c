package block_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// What fails while a replica is closed is told by who closes the database.
func TestClose_TellsWhatFailsOfAReplica(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, _ *history, r *follower) {
		r.setup.closing = errCaller
		require.ErrorIs(t, s.db.Close(), errCaller)
	})
}

// A ReadOnly block whose COMMIT has no answer has written nothing, whatever its texts
// could have done elsewhere.
func TestB12_AReadOnlyBlockHasNothingToFindOut(t *testing.T) {
	for _, opts := range [][]atomic.Option{{atomic.ReadOnly()}, {atomic.ReadOnly(), atomic.ResolveCommit()}} {
		play(t, func(t *testing.T, s *script) {
			s.on("COMMIT", refuses(gone))
			err := s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "SELECT f()") }, opts...)
			require.ErrorIs(t, err, dialect.ErrConnectionLost)
			require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
			s.sent("BEGIN READ ONLY; SELECT f()", "COMMIT")
		})
	}
}

// A COMMIT that was refused stands nowhere.
func TestR03_ARefusedCommitIsNotRemembered(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, _ *follower) {
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		s.on("COMMIT", refuses(unique))
		require.ErrorIs(t, s.do(seen, func(ctx context.Context) error { return s.exec(ctx, "write") }), dialect.ErrUniqueViolation)
		require.Empty(t, s.db.SeenToken(seen))
	})
}

// The statements of a session that commit by themselves leave tokens, and so do those whose
// rows are read at leisure.
func TestR03_InASession(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, _ *follower) {
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		session, ctx := s.session(seen)
		s.must(ctx, "write")
		require.Equal(t, "here", s.db.SeenToken(seen))
		own.position = "there"
		s.on("SELECT g()", reply{rows: values(1)})
		rows, err := s.stream(ctx, "SELECT g()")
		require.NoError(t, err)
		require.Equal(t, "here", s.db.SeenToken(seen), "its rows are read first")
		require.NoError(t, rows.Close())
		require.Equal(t, "here+there", s.db.SeenToken(seen))
		require.NoError(t, session.Close())
		s.sent("TRACK; write", "TRACK; SELECT g()")
	})
}

// A *sql.Conn that has been used has its transaction on the same connection.
func TestSQL_ATransactionOfAConnThatWasUsed(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		c, err := s.db.SQL().Conn(t.Context())
		require.NoError(t, err)
		_, err = c.ExecContext(t.Context(), "SET x")
		require.NoError(t, err)
		other, err := s.db.SQL().Conn(t.Context())
		require.NoError(t, err)
		tx, err := other.BeginTx(t.Context(), nil) // it was not used
		require.NoError(t, err)
		_, err = tx.Exec("INSERT b")
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		_, err = other.ExecContext(t.Context(), "UPDATE b")
		require.NoError(t, err)
		require.Equal(t, 2, s.pool.Stats().InUse)
		require.NoError(t, other.Close())
		tx, err = c.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec("INSERT a")
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		_, err = c.ExecContext(t.Context(), "UPDATE a")
		require.NoError(t, err)
		require.NoError(t, c.Close())
		s.sent("SET x", "2: BEGIN; INSERT b", "2: COMMIT", "2: UPDATE b", "BEGIN; INSERT a", "COMMIT", "UPDATE a")
	})
}
