package block_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

func TestSQL_CallsLookAtTheirCtx(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		db := s.db.SQL()
		use := func(ctx context.Context) error {
			s.on("UPDATE a", reply{affected: 3})
			res, err := db.ExecContext(ctx, "UPDATE a", 1, sql.Named("n", 2))
			require.NoError(t, err)
			n, err := res.RowsAffected()
			require.NoError(t, err)
			require.EqualValues(t, 3, n)
			s.on("SELECT b", reply{rows: values(7)}, reply{rows: values(8)})
			require.NoError(t, db.QueryRowContext(ctx, "SELECT b").Scan(&n))
			require.EqualValues(t, 7, n)
			prepared, err := db.PrepareContext(ctx, "SELECT b")
			require.NoError(t, err)
			defer prepared.Close()
			require.NoError(t, prepared.QueryRowContext(ctx).Scan(&n))
			require.EqualValues(t, 8, n)
			prepared, err = db.PrepareContext(ctx, "UPDATE c")
			require.NoError(t, err)
			defer prepared.Close()
			_, err = prepared.ExecContext(ctx, "any", "number")
			return err
		}
		require.NoError(t, use(t.Context()))
		s.sent("UPDATE a", "SELECT b", "SELECT b", "UPDATE c")
		require.NoError(t, s.do(t.Context(), use))
		s.sent("BEGIN; UPDATE a", "SELECT b", "SELECT b", "UPDATE c", "COMMIT")
		_, err := db.ExecContext(t.Context(), "COMMIT")
		require.ErrorIs(t, err, atomic.ErrTransactionControl)
	})
}

func TestSQL_ValuesReachTheDriverUnchanged(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		_, err := s.db.SQL().ExecContext(t.Context(), "INSERT a", make(chan int))
		require.ErrorIs(t, err, errUnbindable)
		_, err = s.db.SQL().ExecContext(t.Context(), "INSERT a", 1, sql.Named("n", make(chan int)))
		require.NoError(t, err, "a named value stays one")
	})
}

func TestSQL_BeginTxOutsideABlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		db := s.db.SQL()
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true})
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), "INSERT a")
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), "INSERT beside")
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		s.sent("SET ISOLATION Serializable; BEGIN READ ONLY; INSERT a", "2: INSERT beside", "COMMIT")

		tx, err = db.Begin()
		require.NoError(t, err)
		_, err = tx.Exec("INSERT b")
		require.NoError(t, err)
		require.NoError(t, tx.Rollback())
		s.on("INSERT c", refuses(unique))
		tx, err = db.Begin()
		require.NoError(t, err)
		_, err = tx.Exec("INSERT c")
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.ErrorIs(t, tx.Commit(), atomic.ErrRollbackRequired, "nothing is swallowed (B6)")
		require.ErrorIs(t, tx.Rollback(), sql.ErrTxDone)

		// The next user of the same connection of this pool is in no transaction.
		_, err = db.Exec("INSERT d")
		require.NoError(t, err)
		require.Zero(t, s.pool.Stats().InUse)
	})
}

func TestSQL_BeginTxInABlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		db := s.db.SQL()
		var d diary
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			d.keep(ctx, t, s, "outer")
			tx, err := db.BeginTx(ctx, nil)
			require.NoError(t, err)
			_, err = tx.ExecContext(ctx, "INSERT a")
			require.NoError(t, err)
			require.ErrorIs(t, s.exec(ctx, "INSERT beside"), atomic.ErrOuterContext)
			require.NoError(t, tx.Commit())
			tx, err = db.BeginTx(ctx, nil)
			require.NoError(t, err)
			_, err = tx.Exec("INSERT b")
			require.NoError(t, err)
			require.NoError(t, tx.Rollback())
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			_, err = db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
			require.ErrorIs(t, err, atomic.ErrOption)
			require.ErrorContains(t, err, "ReadOnly cannot be honoured by a transaction inside this block")
			return s.exec(ctx, "INSERT c")
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT a", "RELEASE SAVEPOINT hf_1; SAVEPOINT hf_1; INSERT b",
			"ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT c", "COMMIT")
		require.Equal(t, diary{"+outer"}, d)
	})
}

// ctx of BeginTx ends: database/sql rolls back, and what comes later is refused.
func TestSQL_TheCtxOfATransactionEnds(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := s.db.SQL().BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = tx.Exec("INSERT a")
		require.NoError(t, err)
		cancel()
		settle()
		_, err = tx.Exec("INSERT b")
		require.ErrorIs(t, err, sql.ErrTxDone)
		require.ErrorIs(t, tx.Commit(), sql.ErrTxDone)
		s.sent("BEGIN; INSERT a", "ROLLBACK")
	})
}

// The *sql.Conn of such a transaction is its owner's, and stays one: database/sql would
// close it while the owner may be sending.
func TestSQL_AConnOutlivesTheCtxOfItsTransaction(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		c, err := s.db.SQL().Conn(t.Context())
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := c.BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = tx.Exec("INSERT a")
		require.NoError(t, err)
		cancel()
		settle()
		_, err = c.ExecContext(t.Context(), "INSERT b")
		require.NoError(t, err)
		require.NoError(t, c.Close())
		s.sent("BEGIN; INSERT a", "ROLLBACK", "INSERT b")
	})
}

func TestSQL_OneTransactionForEachConnection(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		c, err := s.db.SQL().Conn(t.Context())
		require.NoError(t, err)
		tx, err := c.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec("INSERT a")
		require.NoError(t, err)
		_, err = c.BeginTx(t.Context(), nil)
		require.ErrorIs(t, err, atomic.ErrTransactionControl)
		_, err = c.ExecContext(t.Context(), "INSERT b")
		require.NoError(t, err, "its statements go to the transaction whatever their ctx says")
		require.NoError(t, c.PingContext(t.Context()))
		require.NoError(t, tx.Commit())
		require.NoError(t, c.Close())
		s.sent("BEGIN; INSERT a", "INSERT b", "COMMIT")
	})
}

func TestSQL_Ping(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.db.SQL().PingContext(t.Context()))
		s.sent("PING")
		s.on("PING", refuses(unnamed))
		require.ErrorIs(t, s.db.SQL().PingContext(t.Context()), unnamed)
		s.forget()
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.db.SQL().PingContext(ctx) }))
		s.sent()
		var closed context.Context
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { closed = ctx; return nil }))
		require.NoError(t, s.db.SQL().PingContext(closed))
		s.sent("PING")
	})
}

func TestSQL_InASession(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		tx, err := s.db.SQL().BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = tx.Exec("INSERT a")
		require.NoError(t, err)
		_, err = s.db.SQL().BeginTx(ctx, nil)
		require.ErrorIs(t, err, atomic.ErrOuterContext)
		require.NoError(t, tx.Commit())
		s.sent("BEGIN; INSERT a", "COMMIT")
		require.Equal(t, 1, s.pool.Stats().InUse)
		require.NoError(t, session.Close())
		_, err = s.db.SQL().BeginTx(ctx, nil)
		require.ErrorIs(t, err, atomic.ErrSessionClosed)
	})
}

// database/sql's own rows, closed by the end of their block.
func TestSQL_Rows(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1), more: values(2)}, reply{rows: values(1)}, reply{rows: values(1), failure: deadlock})
		rows, err := s.db.SQL().QueryContext(t.Context(), "SELECT a")
		require.NoError(t, err)
		var all []int
		for {
			for rows.Next() {
				var n int
				require.NoError(t, rows.Scan(&n))
				all = append(all, n)
			}
			if !rows.NextResultSet() {
				break
			}
		}
		require.NoError(t, errors.Join(rows.Err(), rows.Close()))
		require.Equal(t, []int{1, 2}, all)

		require.NoError(t, s.do(t.Context(), func(ctx context.Context) (err error) {
			rows, err = s.db.SQL().QueryContext(ctx, "SELECT a")
			return err
		}))
		require.False(t, rows.Next())
		require.ErrorIs(t, rows.Err(), atomic.ErrBlockClosed)
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			rows, err := s.db.SQL().QueryContext(ctx, "SELECT a")
			require.NoError(t, err)
			require.True(t, rows.Next())
			require.False(t, rows.Next())
			return rows.Err()
		}), dialect.ErrDeadlock)
	})
}

// A connection of this pool that database/sql closes takes its transaction along.
func TestSQL_ATransactionIsLeftOpen(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		c, err := s.db.SQL().Conn(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, c.Raw(func(raw any) error {
			_, err := raw.(driver.Conn).Begin() //nolint:staticcheck // what the oldest callers use
			require.NoError(t, err)
			_, err = raw.(driver.ExecerContext).ExecContext(t.Context(), "INSERT a", nil)
			require.NoError(t, err)
			return driver.ErrBadConn // have it closed
		}), driver.ErrBadConn)
		require.ErrorIs(t, c.Close(), sql.ErrConnDone)
		s.sent("BEGIN; INSERT a", "ROLLBACK")
	})
}

func TestSQL_Timeouts(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			tx, err := s.db.SQL().BeginTx(ctx, nil)
			require.NoError(t, err)
			_, err = tx.Exec("INSERT a")
			require.NoError(t, err)
			pass(2 * time.Second)
			require.Error(t, tx.Commit())
			return nil
		}, atomic.Timeout(time.Second)), atomic.ErrTimeout)
		s.sent("BEGIN; SET TIMEOUT 1s; SAVEPOINT hf_1; INSERT a", "ROLLBACK; RESET TIMEOUT")
	})
}

func TestExecutor_IsTheDatabaseItself(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.Same(t, s.db, block.Of(s.db))
		require.Same(t, s.pool, s.db.Database().Pool)
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

// BeginTx has what the database's defaults say, as far as they are of a transaction.
func TestB18_BeginTxHasTheDefaults(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		tx, err := s.db.SQL().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec("INSERT a")
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		s.sent("SET ISOLATION Serializable; BEGIN; INSERT a", "COMMIT")
	}, setup{settings: serializable()})
}

func serializable() (s block.Settings) {
	s.Block.Isolation = sql.LevelSerializable
	return s
}
