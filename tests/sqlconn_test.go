package tests

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// ofTheSession is a text that changes the session, one that looks at it, and what it
// then finds.
func (db *database) ofTheSession() (change, look, changed, usual string) {
	switch db.Engine {
	case testdb.SQLite:
		return "PRAGMA cache_size = -4321", "PRAGMA cache_size", "-4321", "-2000"
	case testdb.Postgres:
		return "SET statement_timeout = '77s'", "SHOW statement_timeout", "77s", "0"
	default:
		return "SET @mine = 77", "SELECT COALESCE(@mine, 'none')", "77", "none"
	}
}

// A *sql.Conn is a session: what a statement leaves in it is there for the next,
// whichever was first, and for nobody else.
func TestS27_AConnIsASession(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		change, look, changed, usual := db.ofTheSession()
		exec := func(t *testing.T, conn *sql.Conn) error { _, err := conn.ExecContext(t.Context(), change); return err }
		firsts := map[string]func(*testing.T, *sql.Conn) error{
			"set": exec,
			"rows": func(t *testing.T, conn *sql.Conn) error {
				var n int
				return errors.Join(conn.QueryRowContext(t.Context(), "SELECT 1").Scan(&n), exec(t, conn))
			},
			"set in a transaction": func(t *testing.T, conn *sql.Conn) error {
				tx, err := conn.BeginTx(t.Context(), nil)
				if err != nil {
					return err
				}
				_, err = tx.ExecContext(t.Context(), "INSERT INTO t (id, v) VALUES (1, 0)")
				return errors.Join(err, tx.Commit(), exec(t, conn))
			},
			"prepared": func(t *testing.T, conn *sql.Conn) error {
				stmt, err := conn.PrepareContext(t.Context(), change)
				if err != nil {
					return err
				}
				defer func() { _ = stmt.Close() }()
				_, err = stmt.ExecContext(t.Context())
				return err
			},
			"several": func(t *testing.T, conn *sql.Conn) error {
				_, err := conn.ExecContext(t.Context(), "DELETE FROM t; "+change)
				return err
			},
		}
		for name, first := range firsts {
			conn, err := one.executor.SQL().Conn(t.Context())
			require.NoError(t, err)
			require.NoError(t, first(t, conn), name)
			var found string
			require.NoError(t, conn.QueryRowContext(t.Context(), look).Scan(&found), name)
			assert.Equal(t, changed, found, name)
			tx, err := conn.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			require.NoError(t, tx.QueryRowContext(t.Context(), look).Scan(&found), name)
			assert.Equal(t, changed, found, name)
			require.NoError(t, tx.Rollback())
			require.NoError(t, conn.QueryRowContext(t.Context(), look).Scan(&found), name)
			assert.Equal(t, changed, found, name)
			require.NoError(t, conn.Close())
			require.NoError(t, one.executor.SQL().QueryRowContext(t.Context(), look).Scan(&found), name)
			assert.Equal(t, usual, found, name)
			require.NoError(t, one.exec(t.Context(), "DELETE FROM t"))
		}
	})
}

// A block in a ctx comes before the *sql.Conn, whose rows are not read beside
// another statement of it.
func TestS27_AConnBesideABlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		conn, err := db.executor.SQL().Conn(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		_, err = conn.ExecContext(t.Context(), "INSERT INTO t (id, v) VALUES (1, 0)")
		require.NoError(t, err)
		require.ErrorIs(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_, err := conn.ExecContext(ctx, "INSERT INTO t (id, v) VALUES (2, 0)")
			require.NoError(t, err)
			return errAsked
		}), errAsked)
		assert.Equal(t, []int{1}, db.kept())

		other, err := db.executor.SQL().Conn(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, other.Close()) }()
		for _, c := range []*sql.Conn{other, conn} { // rows of the first statement, and of a later one
			rows, err := c.QueryContext(t.Context(), "SELECT id FROM t UNION ALL SELECT 7")
			require.NoError(t, err)
			require.True(t, rows.Next())
			_, err = c.ExecContext(t.Context(), "DELETE FROM t")
			require.ErrorIs(t, err, atomic.ErrRowsOpen)
			require.NoError(t, rows.Close())
			_, err = c.ExecContext(t.Context(), "UPDATE t SET v = 5")
			require.NoError(t, err)
		}
	})
}

// A text of several statements has one error where it cannot be sent, on every
// engine and at every call.
func TestB15_SeveralStatementsHaveOneError(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		front := db.executor.SQL()
		const several = "UPDATE t SET v = 5; DELETE FROM t"
		var told []string
		try := func(ctx context.Context, db *database) {
			refuse := func(err error) {
				require.ErrorIs(t, err, dialect.ErrUnsupported)
				var be *atomic.BlockError
				require.ErrorAs(t, err, &be)
				told = append(told, be.Reason)
			}
			rows, err := front.QueryContext(ctx, several)
			if err == nil {
				require.NoError(t, rows.Err())
				require.NoError(t, rows.Close())
			}
			refuse(err)
			_, err = front.ExecContext(ctx, "UPDATE t SET v = ?; DELETE FROM t", 1)
			refuse(err)
			_, err = db.number(ctx, several)
			refuse(err)
		}
		require.NoError(t, db.insert(t.Context(), 1))
		try(t.Context(), db)
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 2)
			try(ctx, db)
			assert.False(t, atomic.NeedsRollback(ctx, db))
			return nil
		}))
		for _, reason := range told {
			assert.Contains(t, reason, "one call sends one statement")
		}
		assert.Equal(t, []int{1, 2}, db.kept())
	})
}

// Outside a block a script runs; where the server does not run it as a whole, each
// of its statements commits by itself, and the error says which has failed.
func TestB15_AScriptOutsideABlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		const script = "-- first\nCREATE TABLE u (id INTEGER);\nINSERT INTO t (id, v) VALUES (2, 0); /* last; */ INSERT INTO u VALUES (1);\n"
		front := db.executor.SQL()
		res, err := front.ExecContext(t.Context(), script)
		require.NoError(t, err)
		n, err := res.RowsAffected()
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
		assert.Equal(t, []int{2}, db.kept())

		_, err = front.ExecContext(t.Context(), "INSERT INTO t (id, v) VALUES (3, 0); INSERT INTO nowhere VALUES (1); INSERT INTO t (id, v) VALUES (4, 0)")
		require.Error(t, err)
		if db.Engine == testdb.Postgres {
			assert.Equal(t, []int{2}, db.kept())
		} else {
			assert.Equal(t, []int{2, 3}, db.kept())
			require.ErrorContains(t, err, "statement 2 of 3; those before it are committed")
		}
		db.wires.take()
		for _, control := range []string{"DELETE FROM t; COMMIT", "BEGIN; DELETE FROM t; COMMIT"} {
			_, err = front.ExecContext(t.Context(), control)
			require.ErrorIs(t, err, atomic.ErrTransactionControl, "%s", control)
		}
		assert.Empty(t, db.wires.take())

		// In a block where DDL commits it is refused before anything is sent.
		err = atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_, err := front.ExecContext(ctx, "DELETE FROM t; DELETE FROM u")
			return errors.Join(err, errAsked)
		})
		require.ErrorIs(t, err, errAsked)
		mysql := db.Engine == testdb.MySQL || db.Engine == testdb.MariaDB
		assert.Equal(t, mysql, errors.Is(err, dialect.ErrUnsupported))
		if mysql { // where a literal ends is a matter of sql_mode here
			_, err = front.ExecContext(t.Context(), `UPDATE t SET v = 1 WHERE 'a\\' = 'b'; DELETE FROM t`)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			_, err = front.ExecContext(t.Context(), "SELECT 1 /*!50000 ; DELETE FROM t */")
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		}
		assert.NotEmpty(t, db.kept())
	})
}

// What waits for the end of a session's transaction is not forgotten when
// autocommit is switched on.
func TestA05_HooksOfATransactionThatSentNothing(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db = db.again(manual)
		sess, ctx := db.session(t.Context())
		ran := 0
		require.NoError(t, atomic.OnCommit(ctx, db, func(context.Context) error { ran++; return nil }))
		require.ErrorIs(t, sess.SetAutocommit(true), atomic.ErrUncommitted)
		require.NoError(t, sess.Commit(t.Context()))
		assert.Equal(t, 1, ran)
		require.NoError(t, sess.SetAutocommit(true))
		require.NoError(t, sess.Close())
	})
}

// A *sql.Conn is no way around a block that has ended, either.
func TestS27_AConnOfABlockThatHasEnded(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		conn, err := db.executor.SQL().Conn(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		var ended context.Context
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				ended = ctx
				return nil
			}, atomic.Propagation(atomic.Suspended))
		}))
		for range 2 { // with a connection of its own, and without
			_, err = conn.BeginTx(ended, nil)
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			_, err = conn.ExecContext(ended, "INSERT INTO t (id, v) VALUES (1, 0)")
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			_, err = conn.ExecContext(t.Context(), "DELETE FROM t")
			require.NoError(t, err)
		}
	})
}
