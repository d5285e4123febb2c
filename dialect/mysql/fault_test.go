package mysql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// kill ends a connection from outside, and waits until the server is rid of it.
func kill(t *testing.T, db testserver.Database, w backend.Wire) {
	t.Helper()
	admin(t, db, fmt.Sprintf("KILL %d", w.ID()))
	gone(t, db, w)
}

func gone(t *testing.T, db testserver.Database, w backend.Wire) {
	t.Helper()
	eventually(t, "the connection is gone", func() bool {
		var n int
		err := db.Admin.QueryRow("SELECT COUNT(*) FROM "+db.Engine.Sessions()+" WHERE id = ?", w.ID()).Scan(&n)
		return err == nil && n == 0
	})
}

// TestB08 and B13: a connection that was killed is found dead at the next call,
// whatever that is, and the error ends the transaction.
func TestB08_AKilledConnection(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)")
		ours := open(t, db.DSN)
		calls := map[string]func(w backend.Wire) error{
			"exec": func(w backend.Wire) error {
				_, err := w.Exec(t.Context(), nil, "INSERT INTO item VALUES (2)", nil)
				return err
			},
			"exec with a prefix": func(w backend.Wire) error {
				_, err := w.Exec(t.Context(), []string{"SAVEPOINT hf_1"}, "INSERT INTO item VALUES (2)", nil)
				return err
			},
			"query":    func(w backend.Wire) error { _, err := w.Query(t.Context(), nil, "SELECT 1", nil); return err },
			"judged":   func(w backend.Wire) error { _, err := w.Exec(t.Context(), nil, "DO ';'", nil); return err },
			"prepared": func(w backend.Wire) error { _, err := w.Exec(t.Context(), nil, `DO "\\", ?`, []any{1}); return err },
			"prepared with a prefix": func(w backend.Wire) error {
				_, err := w.Exec(t.Context(), []string{"SAVEPOINT hf_1"}, `DO "\\", ?`, []any{1})
				return err
			},
			"commit":   func(w backend.Wire) error { return w.Commit(t.Context(), nil) },
			"rollback": func(w backend.Wire) error { return w.Rollback(t.Context(), nil) },
		}
		for name, call := range calls {
			t.Run(name, func(t *testing.T) {
				w := take(t, ours)
				exec(t, w, []string{"BEGIN"}, "INSERT INTO item VALUES (1)")
				kill(t, db, w)
				err := call(w)
				require.Error(t, err)
				e := backend.Classify(ours, err)
				require.ErrorIs(t, e, dialect.ErrConnectionLost)
				require.True(t, e.Fatal)
				require.False(t, w.Alive())
				require.False(t, w.Idle())

				err = call(w) // nothing can leave any more
				var unsent *backend.NotSentError
				require.ErrorAs(t, err, &unsent)
				require.True(t, unsent.Closed)
				require.ErrorIs(t, backend.Classify(ours, err), dialect.ErrConnectionLost)
				var n int
				require.NoError(t, db.Admin.QueryRow("SELECT COUNT(*) FROM item").Scan(&n))
				require.Zero(t, n)
			})
		}
	})
}

// A statement that is killed, but not its connection, leaves the transaction as
// it was, also as the first of a nested block.
func TestAKilledStatement(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)")
		ours := open(t, db.DSN)
		w := take(t, ours)
		exec(t, w, []string{"BEGIN"}, "INSERT INTO item VALUES (1)")
		failed := make(chan error)
		go func() {
			_, err := readAll(w.Query(t.Context(), []string{"SAVEPOINT hf_1"}, "SELECT COUNT(*) FROM item WHERE SLEEP(30) = 0", nil))
			failed <- err
		}()
		eventually(t, "it runs", func() bool {
			var n int
			err := db.Admin.QueryRow("SELECT COUNT(*) FROM "+db.Engine.Sessions()+" WHERE id = ? AND info LIKE 'SELECT COUNT%'", w.ID()).Scan(&n)
			return err == nil && n == 1
		})
		admin(t, db, fmt.Sprintf("KILL QUERY %d", w.ID()))
		if err := <-failed; err != nil { // SLEEP may be cut short without an error
			e := backend.Classify(ours, err)
			require.ErrorIs(t, e, dialect.ErrQueryCanceled)
			require.False(t, e.Fatal)
		}
		exec(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, "INSERT INTO item VALUES (2)")
		require.NoError(t, w.Commit(t.Context(), nil))
		require.Equal(t, []string{"2"}, ask(t, w, "SELECT COUNT(*) FROM item"))
	})
}

// TestS06: only what certainly never left is said not to have been sent.
func TestS06_ALostAnswerIsNotCalledUnsent(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)")
		p := proxy.New(t, db.Addr)
		ours := open(t, db.Via(p.Addr()))
		for i, action := range []proxy.Action{proxy.CutReply, proxy.CutSent, proxy.CutRequest} {
			w := take(t, ours)
			lost := p.On(fmt.Sprintf("VALUES (%d)", i), action)
			err := refused(t, w, nil, fmt.Sprintf("INSERT INTO item VALUES (%d)", i))
			<-lost.Hit()
			var unsent *backend.NotSentError
			require.NotErrorAs(t, err, &unsent)
			require.NotErrorIs(t, err, driver.ErrBadConn)
			e := backend.Classify(ours, err)
			require.ErrorIs(t, e, dialect.ErrConnectionLost)
			require.False(t, e.NotSent)
			require.False(t, w.Alive())
		}
		// COMMIT likewise.
		w := take(t, ours)
		exec(t, w, []string{"BEGIN"}, "INSERT INTO item VALUES (10)")
		p.On("COMMIT", proxy.CutReply)
		err := w.Commit(t.Context(), nil)
		require.ErrorIs(t, backend.Classify(ours, err), dialect.ErrConnectionLost)
		require.False(t, backend.Classify(ours, err).NotSent)
	})
}

// A ctx that ends while a statement runs costs the connection.
func TestACtxThatEndsInAStatement(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		ours := open(t, db.DSN)
		w := take(t, ours)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := w.Exec(ctx, []string{"BEGIN"}, "DO SLEEP(30)", nil)
			failed <- err
		}()
		eventually(t, "it runs", func() bool {
			var n int
			err := db.Admin.QueryRow("SELECT COUNT(*) FROM "+db.Engine.Sessions()+" WHERE id = ? AND info LIKE 'DO SLEEP%'", w.ID()).Scan(&n)
			return err == nil && n == 1
		})
		cancel()
		err := <-failed
		require.ErrorIs(t, err, context.Canceled)
		e := backend.Classify(ours, err)
		require.True(t, e.Fatal)
		require.False(t, e.NotSent)
		require.False(t, w.Alive())
		gone(t, db, w)
	})
}

// A failed statement that may have begun a transaction leaves a connection
// which is not idle (rule B13).
func TestB13_AProcedureThatFailsInItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)",
			"CREATE PROCEDURE leaves_open() BEGIN START TRANSACTION; INSERT INTO item VALUES (1); SIGNAL SQLSTATE '45000'; END",
			"CREATE PROCEDURE leaves_open_late() BEGIN START TRANSACTION; SELECT 1; SIGNAL SQLSTATE '45000'; END",
			"CREATE PROCEDURE opens() BEGIN START TRANSACTION; SELECT 1; END",
			"CREATE PROCEDURE harmless() BEGIN SELECT 1; END")
		ours := open(t, db.DSN)
		w := take(t, ours)
		_ = refused(t, w, nil, "CALL leaves_open()")
		require.False(t, w.Idle())
		require.NoError(t, w.Rollback(t.Context(), nil))
		require.True(t, w.Idle())

		_, err := readAll(w.Query(t.Context(), nil, "CALL leaves_open_late()", nil))
		require.Error(t, err, "it comes behind the first result")
		require.False(t, w.Idle())
		require.NoError(t, w.Rollback(t.Context(), nil))

		_, err = readAll(w.Query(t.Context(), nil, "CALL opens()", nil))
		require.ErrorAs(t, err, new(*backend.LeftOpenError), "nobody would commit what comes next")
		require.False(t, w.Idle())
		w = take(t, ours)

		_, err = readAll(w.Query(t.Context(), nil, "CALL harmless()", nil))
		require.NoError(t, err)
		require.True(t, w.Idle())
	})
}

// TestB08: nothing runs in autocommit behind a block's back when a statement
// has ended its transaction.
func TestB08_AStatementThatEndsTheTransaction(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)",
			"CREATE PROCEDURE commits() BEGIN COMMIT; END",
			"CREATE PROCEDURE begins_anew() BEGIN COMMIT; START TRANSACTION; END")
		ours := open(t, db.DSN)

		for _, call := range []func(w backend.Wire) error{
			func(w backend.Wire) error {
				_, err := w.Exec(t.Context(), nil, "INSERT INTO item VALUES (2)", nil)
				return err
			},
			func(w backend.Wire) error { _, err := w.Query(t.Context(), nil, "SELECT 1", nil); return err },
			func(w backend.Wire) error { return w.Commit(t.Context(), nil) },
		} {
			for _, ending := range []string{"CALL commits()", "CREATE TABLE IF NOT EXISTS other (id INT)"} {
				w := take(t, ours)
				exec(t, w, []string{"BEGIN"}, "SELECT 1")
				require.ErrorIs(t, refused(t, w, nil, ending), new(backend.EndedError), "its own answer says so")
				err := call(w)
				require.ErrorIs(t, err, new(backend.EndedError))
				e := backend.Classify(ours, err)
				require.True(t, e.Fatal)
				require.True(t, e.NotSent)
				require.ErrorIs(t, w.Rollback(t.Context(), nil), new(backend.EndedError))
				require.True(t, w.Idle())
			}
		}

		// One that begins another transaction shows in the guard.
		w := take(t, ours)
		exec(t, w, []string{"BEGIN", "SAVEPOINT hf_guard"}, "CALL begins_anew()")
		err := refused(t, w, []string{"RELEASE SAVEPOINT hf_guard"}, "INSERT INTO item VALUES (2)")
		e := backend.Classify(ours, err)
		require.True(t, e.Fatal)
		require.ErrorContains(t, e, "the transaction has ended")
		require.NoError(t, w.Rollback(t.Context(), nil))
		require.Equal(t, []string{"0"}, ask(t, w, "SELECT COUNT(*) FROM item"))
	})
}

// A file that the application has not allowed is the driver's to refuse, after
// the server has asked for it.
func TestAFileThatIsNotToBeHad(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)")
		ours := open(t, db.DSN)
		w := take(t, ours)
		exec(t, w, []string{"BEGIN"}, "INSERT INTO item VALUES (1)")
		err := refused(t, w, []string{"SAVEPOINT hf_1"}, "LOAD DATA LOCAL INFILE 'no-such-file' INTO TABLE item")
		e := backend.Classify(ours, err)
		require.False(t, e.Fatal, "%v", err)
		require.False(t, e.NotSent)
		exec(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, "INSERT INTO item VALUES (2)")
		require.NoError(t, w.Commit(t.Context(), nil))
		require.True(t, w.Idle())
	})
}

// A connection that is killed while its statement runs is lost with that
// statement, and leaves nothing.
func TestB08_AConnectionKilledInAStatement(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)")
		ours := open(t, db.DSN)
		for _, prefix := range [][]string{nil, {"SAVEPOINT hf_1"}} {
			w := take(t, ours)
			exec(t, w, []string{"BEGIN"}, "INSERT INTO item VALUES (1)")
			failed := make(chan error)
			go func() {
				_, err := w.Exec(t.Context(), prefix, "INSERT INTO item SELECT 2 WHERE SLEEP(30) = 0", nil)
				failed <- err
			}()
			eventually(t, "it runs", func() bool {
				var n int
				err := db.Admin.QueryRow("SELECT COUNT(*) FROM "+db.Engine.Sessions()+" WHERE id = ? AND info LIKE 'INSERT%'", w.ID()).Scan(&n)
				return err == nil && n == 1
			})
			kill(t, db, w)
			err := <-failed
			require.Error(t, err)
			e := backend.Classify(ours, err)
			require.ErrorIs(t, e, dialect.ErrConnectionLost)
			require.True(t, e.Fatal)
			require.False(t, e.NotSent)
			require.False(t, w.Alive())
			var n int
			require.NoError(t, db.Admin.QueryRow("SELECT COUNT(*) FROM item").Scan(&n))
			require.Zero(t, n)
		}
	})
}
