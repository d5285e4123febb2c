package tests

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// procedures that leave a transaction open, or autocommit off.
func (db *database) leaveOpen() {
	db.t.Helper()
	db.arrange("CREATE PROCEDURE opens() BEGIN START TRANSACTION; INSERT INTO t VALUES (90, 90); END",
		"CREATE PROCEDURE breaks() BEGIN START TRANSACTION; INSERT INTO t VALUES (91, 91); SIGNAL SQLSTATE '45000'; END",
		"CREATE PROCEDURE off() SET autocommit = 0",
		"CREATE PROCEDURE plain() INSERT INTO t VALUES (1, 1)", "CREATE PROCEDURE more() INSERT INTO t VALUES (4, 4)")
}

// Outside a block each statement commits by itself, and one that turns out not to have
// is an error: a statement before it has left a transaction open, or autocommit off,
// and no text showed it.
func TestA01_ATransactionThatIsLeftOpen(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.leaveOpen()
		notKept := func(err error, what string) {
			t.Helper()
			require.ErrorIs(t, err, atomic.ErrUncommitted, what)
			require.Empty(t, db.kept(), what)
		}
		notKept(db.exec(t.Context(), "CALL opens()"), "a single statement")

		for what, send := range map[string][]string{
			"a procedure":                         {"CALL opens()"},
			"autocommit":                          {"CALL off()", "INSERT INTO t VALUES (2, 2)"},
			"autocommit, by a prepared statement": {"PREPARE s FROM 'SET autocommit = 0'", "EXECUTE s", "INSERT INTO t VALUES (2, 2)"},
		} {
			sess, ctx := db.session(t.Context())
			conn, err := db.executor.SQL().Conn(t.Context())
			require.NoError(t, err)
			_, err = conn.ExecContext(t.Context(), "SELECT 1")
			require.NoError(t, err)
			for i, text := range send {
				if i == 1 {
					_, err := db.count(ctx) // in a transaction of its own, if autocommit is off
					require.NoError(t, err, what)
				}
				ofSession := db.exec(ctx, text)
				_, ofConn := conn.ExecContext(t.Context(), text)
				if i < len(send)-1 {
					require.NoError(t, errors.Join(ofSession, ofConn), what)
					continue
				}
				notKept(ofSession, what)
				notKept(ofConn, what)
			}
			require.ErrorIs(t, db.insert(ctx, 3), dialect.ErrConnectionLost, what)
			require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 4) }), dialect.ErrConnectionLost, what)
			_, err = conn.ExecContext(t.Context(), "INSERT INTO t VALUES (5, 5)")
			require.ErrorIs(t, err, dialect.ErrConnectionLost, what)
			require.NoError(t, errors.Join(sess.Close(), conn.Close()), what)
			db.idle()
			require.Empty(t, db.kept(), what)
		}
	}, testdb.MySQL, testdb.MariaDB)
}

// What a statement that failed has left open is undone, before anything commits it.
func TestA01_AFailureThatLeavesATransactionOpen(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.leaveOpen()
		sess, ctx := db.session(t.Context())
		require.NoError(t, db.exec(ctx, "SET @x = 7"))
		require.Error(t, db.exec(ctx, "CALL breaks()"))
		db.mustInsert(ctx, 1)
		require.Error(t, db.exec(ctx, "CALL breaks()"))
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 2) }))
		x, err := db.number(ctx, "SELECT @x")
		require.NoError(t, err)
		assert.EqualValues(t, 7, x, "the session goes on")
		require.NoError(t, sess.Close())
		assert.Equal(t, []int{1, 2}, db.kept())
	}, testdb.MySQL, testdb.MariaDB)
}

// XA says what it does, and belongs to the owner of the connection, from the first
// statement on.
func TestS27_XAOnAConn(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.leaveOpen()
		for _, before := range []string{"", "SELECT 1", "CALL plain()"} {
			for _, end := range []string{"XA ROLLBACK 'a'", "XA PREPARE 'a'"} {
				db.arrange("DELETE FROM t")
				conn, err := db.executor.SQL().Conn(t.Context())
				require.NoError(t, err)
				texts := []string{"XA START 'a'", "INSERT INTO t VALUES (3, 3)", "CALL more()", "XA END 'a'", end, "XA COMMIT 'a'", "INSERT INTO t VALUES (2, 2)"}
				want := []int{2, 3, 4}
				if end == "XA ROLLBACK 'a'" {
					texts = slices.Delete(texts, 5, 6)
					want = want[:1]
				}
				if before != "" {
					texts = append([]string{before}, texts...)
				}
				if before == "CALL plain()" {
					want = append([]int{1}, want...)
				}
				for _, text := range texts {
					_, err = conn.ExecContext(t.Context(), text)
					require.NoError(t, err, "%s after %q", text, before)
				}
				require.NoError(t, conn.Close())
				assert.Equal(t, want, db.kept(), before)
				db.idle()
			}
		}
	}, testdb.MySQL, testdb.MariaDB)
}

// A session has its autocommit back after a block in which a procedure was called.
func TestB08_ASessionAfterAProcedure(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.leaveOpen()
		for _, end := range []error{nil, errors.New("fn's own")} {
			for _, how := range []string{"a session", "a conn"} {
				db.arrange("DELETE FROM t")
				block := func(ctx context.Context) error {
					if err := db.exec(ctx, "CALL plain()"); err != nil {
						return err
					}
					return end
				}
				if how == "a session" {
					sess, ctx := db.session(t.Context())
					require.ErrorIs(t, atomic.Do(ctx, db, block), end)
					db.mustInsert(ctx, 2)
					assert.Contains(t, db.kept(), 2, "committed by itself")
					require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 3) }))
					require.NoError(t, sess.Close())
				} else {
					conn, err := db.executor.SQL().Conn(t.Context())
					require.NoError(t, err)
					tx, err := conn.BeginTx(t.Context(), nil)
					require.NoError(t, err)
					_, err = tx.ExecContext(t.Context(), "CALL plain()")
					require.NoError(t, err)
					if end == nil {
						require.NoError(t, tx.Commit())
					} else {
						require.NoError(t, tx.Rollback())
					}
					for _, text := range []string{"INSERT INTO t VALUES (2, 2)", "INSERT INTO t VALUES (3, 3)"} {
						_, err = conn.ExecContext(t.Context(), text)
						require.NoError(t, err)
					}
					assert.Contains(t, db.kept(), 2, "committed by itself")
					require.NoError(t, conn.Close())
				}
				want := []int{1, 2, 3}
				if end != nil {
					want = want[1:]
				}
				assert.Equal(t, want, db.kept())
				db.idle()
			}
		}
	}, testdb.MySQL, testdb.MariaDB)
}
