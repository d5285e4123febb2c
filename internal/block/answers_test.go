package block_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

// That there is no row is an answer, and fails nothing.
func TestB06_NoRowsAreAnAnswer(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		none := func(ctx context.Context) error {
			return s.db.Query(ctx, block.Statement{SQL: "SELECT a"}, func(driver.Rows) error { return sql.ErrNoRows })
		}
		require.Equal(t, sql.ErrNoRows, none(t.Context()))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.Equal(t, sql.ErrNoRows, none(ctx))
			return s.exec(ctx, "INSERT b")
		}))
		s.sent("SELECT a", "BEGIN; SELECT a", "INSERT b", "COMMIT")
	})
}

// A reader that panics has made its statement fail, also where fn recovers.
func TestB03_AReaderPanicsAndFnRecovers(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			require.Panics(t, func() {
				_ = s.db.Query(ctx, block.Statement{SQL: "SELECT a"}, func(driver.Rows) error { panic("it fell over") })
			})
			return nil
		}), atomic.ErrRollbackRequired)
		s.sent("BEGIN; SELECT a", "ROLLBACK")
	})
}

// What has set aside a block that has ended belongs nowhere: nothing may be sent there, and
// nothing begins.
func TestB09_SetAsideByABlockThatHasEnded(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var late context.Context
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			return s.do(ctx, func(ctx context.Context) error { late = ctx; return s.exec(ctx, "INSERT a") }, atomic.Propagation(atomic.Suspended))
		}))
		s.sent("INSERT a")
		require.ErrorIs(t, s.exec(late, "INSERT b"), atomic.ErrBlockClosed)
		require.ErrorIs(t, s.do(late, never(t)), atomic.ErrBlockClosed)
		_, _, err := atomic.OpenSession(late, s.db)
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		_, err = s.db.SQL().ExecContext(late, "INSERT b")
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		require.ErrorIs(t, s.db.Outside(late, ""), atomic.ErrBlockClosed)
		_, err = s.once(late)
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		_, err = s.db.Exec(late, block.Statement{SQL: "SAVEPOINT a"})
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		s.sent()

		// A session that it has set aside has not.
		session, ctx := s.session(t.Context())
		require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT c") }, atomic.Propagation(atomic.Suspended)))
		require.NoError(t, session.Close())
	})
}

// What is done outside a block that has failed is none of its business: a note of the
// failure is written there.
func TestB18_SuspendedInABlockThatHasFailed(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT a", refuses(unique))
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			err := s.exec(ctx, "INSERT a")
			require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT note") }, atomic.Propagation(atomic.Suspended)))
			return err
		}), dialect.ErrUniqueViolation)
		s.sent("BEGIN; INSERT a", "2: INSERT note", "ROLLBACK")
	})
}

// Who has waited for one more connection, and got it, is in nobody's way afterwards.
func TestB18_WhoHasGotAConnectionWaitsNoMore(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for range 3 {
			require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }, atomic.Propagation(atomic.Independent))
			}))
		}
	}, setup{room: 2})
}

// A block that has read on a replica, and loses it, is run again elsewhere if there is a
// Retry: nothing was written.
func TestR05_ABlockIsRunAgainElsewhere(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, _ *history, r *follower) {
		r.on("read b", refuses(gone))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			return errors.Join(s.exec(ctx, "read a"), s.exec(ctx, "read b"))
		}, atomic.ReadOnly(), atomic.Retry(1)))
		r.sent("BEGIN READ ONLY; read a", "read b", "2: BEGIN READ ONLY; read a", "2: read b", "2: COMMIT")
		s.on("read b", refuses(gone))
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			return errors.Join(s.exec(ctx, "read a"), s.exec(ctx, "read b"))
		}, atomic.Retry(1)), dialect.ErrConnectionLost, "on the writer only if it is asked for")
	})
}

// A block is where its caller is, by whatever way it was opened.
func TestBlockInfo_IsWhereTheCallerIs(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		here := func(err error) {
			var failed *atomic.FailedError
			require.ErrorAs(t, err, &failed)
			require.Contains(t, failed.Block.String(), "answers_test.go:")
		}
		s.on("INSERT a", refuses(unique), refuses(unique))
		here(atomic.Do(t.Context(), s.db, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }))
		s.free(1)
		_, err := atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) { return 1, s.exec(ctx, "INSERT a") })
		here(err)
	})
}
