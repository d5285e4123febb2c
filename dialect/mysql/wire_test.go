package mysql

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

func TestAPrefixTravelsWithItsStatement(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY, n INT)")
		w := take(t, open(t, db.DSN))
		require.False(t, w.Used())
		require.True(t, w.Idle())

		res := exec(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, "INSERT INTO item VALUES (?, ?), (?, ?)", 1, 10, 2, 20)
		n, err := res.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		require.True(t, w.Used())
		require.False(t, w.Idle())
		require.True(t, w.Alive())

		exec(t, w, []string{"RELEASE SAVEPOINT hf_1", "SAVEPOINT hf_1"}, "UPDATE item SET n = n + ? WHERE id = ?", 1, 1)
		rows, err := readAll(w.Query(t.Context(), []string{"ROLLBACK TO SAVEPOINT hf_1"}, "SELECT id, n FROM item ORDER BY id", nil))
		require.NoError(t, err)
		require.Equal(t, [][]string{{"1", "10"}, {"2", "20"}}, rows)
		require.NoError(t, w.Commit(t.Context(), []string{"SET @hf_test = 1"}))
		require.True(t, w.Idle())

		exec(t, w, []string{"BEGIN"}, "DELETE FROM item")
		require.NoError(t, w.Rollback(t.Context(), []string{"SET @hf_test = 2"}))
		require.True(t, w.Idle())
		require.Equal(t, []string{"2", "2"}, ask(t, w, "SELECT COUNT(*), @hf_test FROM item"))
	})
}

func TestTheFailedStatementIsFound(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)", "INSERT INTO item VALUES (1)")
		ours := open(t, db.DSN)
		w := take(t, ours)
		exec(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, "INSERT INTO item VALUES (2)")

		for _, send := range []func(prefix []string, query string) error{
			func(p []string, q string) error { _, err := w.Exec(t.Context(), p, q, nil); return err },
			func(p []string, q string) error { _, err := w.Query(t.Context(), p, q, nil); return err },
		} {
			err := send([]string{"RELEASE SAVEPOINT hf_1", "SAVEPOINT hf_1"}, "INSERT INTO item VALUES (1)")
			var prefix *backend.PrefixError
			require.NotErrorAs(t, err, &prefix, "all of the prefix took effect")
			require.Equal(t, 1062, number(err))

			err = send([]string{"SAVEPOINT hf_2", "RELEASE SAVEPOINT hf_9", "SAVEPOINT hf_3"}, "INSERT INTO item VALUES (3)")
			require.ErrorAs(t, err, &prefix)
			require.Equal(t, "RELEASE SAVEPOINT hf_9", prefix.Statement)
			require.Equal(t, 1305, number(err))
			require.True(t, backend.Classify(ours, err).Fatal)
			require.ErrorContains(t, backend.Classify(ours, err), "RELEASE SAVEPOINT hf_9")
			require.ErrorContains(t, backend.Classify(ours, err), "the transaction has ended")
		}
		require.Equal(t, []string{"2"}, ask(t, w, "SELECT COUNT(*) FROM item"), "what the prefix failed in front of did not run")

		err := w.Commit(t.Context(), []string{"RELEASE SAVEPOINT hf_9"})
		var prefix *backend.PrefixError
		require.ErrorAs(t, err, &prefix)
		require.False(t, w.Idle(), "nothing was committed")

		err = w.Rollback(t.Context(), []string{"RELEASE SAVEPOINT hf_9"})
		require.ErrorAs(t, err, &prefix)
	})
}

// A transaction that is already there in the XA sense makes BEGIN fail, with a
// number that says nothing about BEGIN.
func TestARefusedBeginIsNamed(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		w := take(t, open(t, db.DSN))
		exec(t, w, nil, "XA START '"+db.Name+"'")
		err := refused(t, w, []string{"SET @a = 1", "BEGIN", "SET @b = 1"}, "SELECT 1")
		var prefix *backend.PrefixError
		require.ErrorAs(t, err, &prefix)
		require.Equal(t, "BEGIN", prefix.Statement)
		require.Equal(t, 1399, number(err))
		require.Equal(t, []string{"1", "<nil>"}, ask(t, w, "SELECT @a, @b"))
		exec(t, w, nil, "XA END '"+db.Name+"'")
		exec(t, w, nil, "XA ROLLBACK '"+db.Name+"'")
	})
}

// What came in front of a refused statement does not outlive ROLLBACK.
func TestAPendingIsolationLevelIsTakenBack(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)", "INSERT INTO item VALUES (1)")
		w := take(t, open(t, db.DSN))
		exec(t, w, nil, "XA START '"+db.Name+"'")
		exec(t, w, nil, "XA END '"+db.Name+"'")
		exec(t, w, nil, "XA ROLLBACK '"+db.Name+"'")
		_ = refused(t, w, []string{"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"}, "BOGUS")
		require.NoError(t, w.Rollback(t.Context(), nil))

		// A read locks in a serializable transaction only.
		require.Equal(t, [][]string{{"1"}}, must(readAll(w.Query(t.Context(), []string{"BEGIN"}, "SELECT * FROM item", nil))))
		admin(t, db, "SET innodb_lock_wait_timeout = 1; UPDATE item SET id = 2")
		require.NoError(t, w.Rollback(t.Context(), nil))
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestTheConnectionsNumberIsKnown(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		w := take(t, open(t, db.DSN))
		require.NotZero(t, w.ID())
		require.Equal(t, []string{ask(t, w, "SELECT CONNECTION_ID()")[0]}, []string{itoa(w.ID())})
	})
}

func TestNothingIsSentInVain(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		w := take(t, open(t, db.DSN))
		var unsent *backend.NotSentError

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := w.Exec(ended, []string{"BEGIN"}, "SELECT 1", nil)
		require.ErrorAs(t, err, &unsent)
		require.False(t, unsent.Closed)
		require.ErrorIs(t, err, context.Canceled)

		for _, bad := range []any{struct{}{}, make(chan int), map[string]int{}} {
			_, err = w.Exec(t.Context(), []string{"BEGIN"}, "SELECT ?", []any{bad})
			require.ErrorAs(t, err, &unsent)
			require.False(t, unsent.Closed)
		}
		require.False(t, w.Used())
		require.True(t, w.Idle())
	})
}
