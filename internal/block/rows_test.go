package block_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

func values(all ...int64) (row []driver.Value) {
	for _, v := range all {
		row = append(row, v)
	}
	return row
}

func TestQuery_ReadsRows(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		read := func(ctx context.Context) error {
			s.on("SELECT a", reply{rows: values(1, 2)})
			all, err := s.all(ctx, "SELECT a")
			require.Equal(t, values(1, 2), all)
			return err
		}
		require.NoError(t, read(t.Context()))
		require.NoError(t, s.do(t.Context(), read))
		session, ctx, err := atomic.OpenSession(t.Context(), s.db)
		require.NoError(t, err)
		require.NoError(t, read(ctx))
		require.NoError(t, session.Close())
	})
}

// An error of the server in the middle of the rows is like any other, and one of
// the reader marks nothing.
func TestB08_AnErrorInTheMiddleOfTheRows(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1), failure: deadlock})
		err := s.do(t.Context(), func(ctx context.Context) error {
			return s.do(ctx, func(ctx context.Context) error {
				all, err := s.all(ctx, "SELECT a")
				require.Equal(t, values(1), all)
				require.ErrorIs(t, err, dialect.ErrDeadlock)
				var failed *atomic.FailedError
				require.ErrorAs(t, err, &failed)
				return nil
			})
		})
		require.ErrorIs(t, err, dialect.ErrDeadlock)
		s.forget()

		// So does an error of who reads the rows: the statement was not what fn wanted.
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			err := s.db.Query(ctx, block.Statement{SQL: "SELECT b"}, func(driver.Rows) error { return errAsked })
			require.ErrorIs(t, err, errAsked)
			require.ErrorIs(t, s.exec(ctx, "INSERT c"), atomic.ErrRollbackRequired)
			return nil
		}), errAsked)
		s.sent("BEGIN; SELECT b", "ROLLBACK")

		// The error comes with what the reader has left unread.
		s.on("SELECT b", reply{rows: values(1), failure: unique})
		err = s.do(t.Context(), func(ctx context.Context) error {
			_ = s.db.Query(ctx, block.Statement{SQL: "SELECT b"}, func(driver.Rows) error { return nil })
			return nil
		})
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
	})
}

// A query whose rows are lost with the connection has been read from already: it
// is not sent again, even as the first of its transaction.
func TestS06_RowsThatBreakOffAreNotRepeated(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.must(t.Context(), "INSERT a")
		s.forget()
		s.on("SELECT a", reply{rows: values(1), failure: gone})
		err := s.do(t.Context(), func(ctx context.Context) error { _, err := s.all(ctx, "SELECT a"); return err })
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		s.sent("BEGIN; SELECT a")
	})
}

// A reader that panics leaves the connection free for the ROLLBACK, and outside a
// block nobody's.
func TestB13_APanicWhileRowsAreRead(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		fall := func(ctx context.Context) error {
			return s.db.Query(ctx, block.Statement{SQL: "SELECT a"}, func(driver.Rows) error { panic("it fell over") })
		}
		require.PanicsWithValue(t, "it fell over", func() {
			_ = s.do(t.Context(), func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				return fall(ctx)
			})
		})
		s.sent("BEGIN; INSERT a", "SELECT a", "ROLLBACK")
		require.Equal(t, []int{1}, s.connected())
		require.PanicsWithValue(t, "it fell over", func() { _ = s.do(t.Context(), fall) })
		require.Equal(t, []int{1}, s.connected(), "what was sent is written down before the rows are read")
		require.PanicsWithValue(t, "it fell over", func() { _ = fall(t.Context()) })
		require.Empty(t, s.connected())
	})
}

func TestB10_RowsOpen(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1, 2)}, reply{rows: values(1)}, reply{rows: values(1)})
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			rows, err := s.stream(ctx, "SELECT a")
			require.NoError(t, err)
			err = s.exec(ctx, "INSERT b")
			require.ErrorIs(t, err, atomic.ErrRowsOpen)
			require.ErrorContains(t, err, "INSERT b")
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			require.NoError(t, rows.Close())
			require.NoError(t, rows.Close())
			_, err = next(rows)
			require.Equal(t, io.EOF, err)
			s.must(ctx, "INSERT b")

			rows, err = s.stream(ctx, "SELECT a")
			require.NoError(t, err)
			v, err := next(rows)
			require.NoError(t, err)
			require.EqualValues(t, 1, v)
			_, err = next(rows)
			require.Equal(t, io.EOF, err)
			s.must(ctx, "INSERT c") // the last row was read: nothing is open

			// Those of the outer block stay open while a nested one comes and goes.
			rows, err = s.stream(ctx, "SELECT a")
			require.NoError(t, err)
			require.NoError(t, s.do(ctx, func(ctx context.Context) error {
				require.ErrorIs(t, s.exec(ctx, "INSERT d"), atomic.ErrRowsOpen)
				return nil
			}))
			_, err = next(rows)
			require.NoError(t, err)
			return rows.Close()
		}))
		s.sent("BEGIN; SELECT a", "INSERT b", "SELECT a", "INSERT c", "SELECT a", "COMMIT")
	})
}

// A second result set belongs to the first.
func TestB10_MoreThanOneResult(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1), more: values(2)})
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			opened, err := s.stream(ctx, "SELECT a")
			require.NoError(t, err)
			rows := opened.(driver.RowsNextResultSet)
			_, err = next(rows)
			require.NoError(t, err)
			_, err = next(rows)
			require.Equal(t, io.EOF, err)
			require.True(t, rows.HasNextResultSet())
			require.ErrorIs(t, s.exec(ctx, "INSERT b"), atomic.ErrRowsOpen)
			require.NoError(t, rows.NextResultSet())
			v, err := next(rows)
			require.NoError(t, err)
			require.EqualValues(t, 2, v)
			require.False(t, rows.HasNextResultSet())
			require.Equal(t, io.EOF, rows.NextResultSet())
			_, err = next(rows)
			require.Equal(t, io.EOF, err)
			require.False(t, rows.HasNextResultSet())
			require.Equal(t, io.EOF, rows.NextResultSet())
			s.must(ctx, "INSERT b")
			s.on("SELECT a", reply{rows: values(1), more: values(2)})
			opened, err = s.stream(ctx, "SELECT a")
			require.NoError(t, err)
			require.NoError(t, opened.Close())
			require.False(t, opened.(driver.RowsNextResultSet).HasNextResultSet(), "it is closed")
			return nil
		}))
		// An error ends them, whatever was to come.
		s.on("SELECT a", reply{rows: values(1), more: values(2), failure: deadlock})
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			return s.do(ctx, func(ctx context.Context) error {
				rows, err := s.stream(ctx, "SELECT a")
				require.NoError(t, err)
				_, err = next(rows)
				require.NoError(t, err)
				_, err = next(rows)
				require.ErrorIs(t, err, dialect.ErrDeadlock)
				require.ErrorIs(t, s.exec(ctx, "INSERT b"), atomic.ErrRollbackRequired)
				return nil
			})
		}), atomic.ErrRollbackRequired)
	})
}

// Whoever reads on after the end of the block is told so, and does not take it
// for the last row.
func TestB09_RowsThatOutliveTheirBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1, 2)}, reply{rows: values(1, 2)})
		var outer, inner driver.Rows
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.do(ctx, func(ctx context.Context) (err error) {
				inner, err = s.stream(ctx, "SELECT a")
				return err
			}))
			_, err := next(inner)
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			outer, err = s.stream(ctx, "SELECT a")
			return err
		}))
		for range 2 {
			_, err := next(outer)
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			require.ErrorContains(t, err, "ended before its rows were read")
			require.ErrorIs(t, outer.Close(), atomic.ErrBlockClosed)
		}
		s.sent("BEGIN; SAVEPOINT hf_1; SELECT a", "RELEASE SAVEPOINT hf_1; SELECT a", "COMMIT")
	})
}

// Of two errors the first one counts.
func TestB06_AnErrorBeforeTheRowsAreClosed(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1), failure: unique, closing: unnamed})
		err := s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.all(ctx, "SELECT a")
			return err
		})
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.NotErrorIs(t, err, unnamed)
	})
}

// What nobody read fails the block all the same.
func TestB06_AnErrorInRowsThatNobodyRead(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1), failure: unique})
		var rows driver.Rows
		err := s.do(t.Context(), func(ctx context.Context) (err error) {
			rows, err = s.stream(ctx, "SELECT a")
			return err
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		s.sent("BEGIN; SELECT a", "ROLLBACK")
		_, err = next(rows)
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
	})
}

func TestB06_AnErrorInAStream(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1), failure: unique}, reply{rows: values(1), failure: unique}, reply{err: unique})
		for _, read := range []func(driver.Rows) error{
			func(rows driver.Rows) error { _, err := next(rows); _, end := next(rows); return errors.Join(err, end) },
			func(rows driver.Rows) error { return rows.Close() },
		} {
			require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
				err := s.do(ctx, func(ctx context.Context) error {
					rows, err := s.stream(ctx, "SELECT a")
					require.NoError(t, err)
					err = read(rows)
					require.ErrorIs(t, err, dialect.ErrUniqueViolation)
					var failed *atomic.FailedError
					require.ErrorAs(t, err, &failed)
					require.Equal(t, 2, failed.Block.Depth)
					require.ErrorIs(t, s.exec(ctx, "INSERT b"), atomic.ErrRollbackRequired)
					return nil
				})
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
				return nil
			}))
		}
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.stream(ctx, "SELECT a")
			require.ErrorIs(t, err, dialect.ErrUniqueViolation)
			return nil
		}), atomic.ErrRollbackRequired)
		s.on("SELECT a", reply{rows: values(1), failure: conflict})
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
				rows, err := s.stream(ctx, "SELECT a")
				require.NoError(t, err)
				return rows.Close()
			}), dialect.ErrSerializationFailure)
			require.True(t, atomic.NeedsRollback(ctx, s.db), "every block is marked (B8)")
			return nil
		}), dialect.ErrSerializationFailure)
	})
}

// A Scanner cannot use the block whose rows it reads: it would wait for itself.
// Another goroutine waits for it.
func TestB10_AScannerUsesItsBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1)})
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			var other func() error
			err := s.db.Query(ctx, block.Statement{SQL: "SELECT a", Built: true}, func(driver.Rows) error {
				require.ErrorIs(t, s.exec(ctx, "INSERT b"), atomic.ErrRowsOpen)
				require.ErrorIs(t, s.do(ctx, never(t)), atomic.ErrRowsOpen)
				other = aside(func() error { return s.exec(ctx, "INSERT c") })
				return nil
			})
			require.NoError(t, err)
			return other()
		}))
		s.sent("BEGIN; SELECT a", "INSERT c", "COMMIT")
	})
}

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
