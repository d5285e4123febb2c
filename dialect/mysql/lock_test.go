package mysql

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

const twoAccounts = "CREATE TABLE account (id INT PRIMARY KEY, n INT)"

// deadlock lets two transactions lock the rows 1 and 2 in opposite order, and
// returns the error of ours, which the server chooses because the other has
// written more. cross is what ours waits in.
func deadlock(t *testing.T, db testserver.Database, w backend.Wire, cross func() error) error {
	t.Helper()
	rival, id := other(t, db)
	_, err := rival.ExecContext(t.Context(), "BEGIN; UPDATE ballast SET n = n + 1; UPDATE account SET n = 1 WHERE id = 2")
	require.NoError(t, err)
	exec(t, w, []string{"BEGIN"}, "UPDATE account SET n = 1 WHERE id = 1")
	done := make(chan error, 1)
	go func() {
		_, err := rival.ExecContext(context.WithoutCancel(t.Context()), "UPDATE account SET n = 2 WHERE id = 1")
		done <- err
	}()
	eventually(t, "the other waits", waiting(t, db, id))
	err = cross()
	require.NoError(t, <-done)
	_, rollbackErr := rival.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, rollbackErr)
	return err
}

// TestB08: the victim of a deadlock has lost its transaction, and whether the
// error comes with the statement or with a row, it says so.
func TestB08_ADeadlock(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, twoAccounts, "INSERT INTO account VALUES (1, 0), (2, 0)",
			"CREATE TABLE ballast (n INT)", "INSERT INTO ballast WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n")
		ours := open(t, db.DSN)
		w := take(t, ours)
		crossings := map[string]func() error{
			"in a statement": func() error {
				_, err := w.Exec(t.Context(), nil, "UPDATE account SET n = 1 WHERE id = 2", nil)
				return err
			},
			"in the first of a nested block": func() error {
				_, err := w.Exec(t.Context(), []string{"SAVEPOINT hf_1"}, "UPDATE account SET n = 1 WHERE id = 2", nil)
				return err
			},
			"in the rows": func() error {
				_, err := readAll(w.Query(t.Context(), []string{"SAVEPOINT hf_1"}, "SELECT id FROM account WHERE id IN (1, 2) ORDER BY id FOR UPDATE", nil))
				return err
			},
		}
		for name, cross := range crossings {
			t.Run(name, func(t *testing.T) {
				err := deadlock(t, db, w, cross)
				e := backend.Classify(ours, err)
				require.ErrorIs(t, e, dialect.ErrDeadlock)
				require.True(t, e.Fatal)
				require.Equal(t, "1213", e.Code)
				require.True(t, w.Alive())
				// The savepoint has gone with the transaction.
				if name != "in a statement" {
					err = refused(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, "INSERT INTO account VALUES (99, 0)")
					require.True(t, backend.Classify(ours, err).Fatal)
				}
				require.NoError(t, w.Rollback(t.Context(), nil))
				require.True(t, w.Idle())
				require.Equal(t, []string{"0", "0"}, ask(t, w, "SELECT SUM(n), SUM(id = 99) FROM account WHERE id < 100"))
			})
		}
	})
}

// holdRow locks row 1 for the rest of the test.
func holdRow(t *testing.T, db testserver.Database) {
	t.Helper()
	holder, _ := other(t, db)
	_, err := holder.ExecContext(t.Context(), "BEGIN; UPDATE account SET n = 1 WHERE id = 1")
	require.NoError(t, err)
}

// TestL04: a lock that is not to be had is ErrLockNotAvailable, after the limit
// or at once.
func TestL04_ALockThatIsNotAvailable(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, twoAccounts, "INSERT INTO account VALUES (1, 0), (2, 0)")
		ours := open(t, db.DSN)
		w := take(t, ours)
		holdRow(t, db)
		before := ask(t, w, "SELECT @@SESSION.innodb_lock_wait_timeout")

		wait := ours.Engine.LockWait(1100 * time.Millisecond)
		start := time.Now()
		err := refused(t, w, append([]string{"BEGIN"}, wait.Inside...), "SELECT id FROM account WHERE id = 1 FOR UPDATE")
		took := time.Since(start)
		e := backend.Classify(ours, err)
		require.ErrorIs(t, e, dialect.ErrLockNotAvailable)
		require.Equal(t, "1205", e.Code)
		require.Equal(t, ours.Server.RollbackOnTimeout, e.Fatal)
		require.GreaterOrEqual(t, took, 1100*time.Millisecond)
		if e.Fatal {
			require.NoError(t, w.Rollback(t.Context(), wait.Restore))
			require.Equal(t, before, ask(t, w, "SELECT @@SESSION.innodb_lock_wait_timeout"))
			return
		}

		err = refused(t, w, wait.Restore, "SELECT id FROM account WHERE id = 1 FOR UPDATE NOWAIT")
		e = backend.Classify(ours, err)
		require.ErrorIs(t, e, dialect.ErrLockNotAvailable)
		require.False(t, e.Fatal)
		exec(t, w, nil, "UPDATE account SET n = 5 WHERE id = 2") // the transaction goes on
		require.NoError(t, w.Commit(t.Context(), nil))
		require.Equal(t, before, ask(t, w, "SELECT @@SESSION.innodb_lock_wait_timeout"))
	})
}
