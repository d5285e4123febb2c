package mysql

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// start begins a transaction with o by a harmless statement.
func start(t *testing.T, db *backend.Database, w backend.Wire, o backend.TxOptions, lockWait ...time.Duration) backend.Control {
	t.Helper()
	c, err := db.Engine.Begin(o)
	require.NoError(t, err)
	for _, d := range lockWait {
		limit := db.Engine.LockWait(d)
		c.Inside = append(c.Inside, limit.Inside...)
		c.Restore = append(c.Restore, limit.Restore...)
	}
	var prefix []string
	prefix = append(prefix, c.Before...)
	prefix = append(prefix, c.Begin)
	prefix = append(prefix, c.Inside...)
	exec(t, w, prefix, "DO 0")
	return c
}

// TestB22 and S8: each isolation level is the server's, for one transaction.
func TestS08_IsolationLevels(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY, n INT)", "INSERT INTO item VALUES (1, 0)")
		ours := open(t, db.DSN)
		w := take(t, ours)
		writer := take(t, ours)
		see := func() string { return ask(t, w, "SELECT n FROM item")[0] }

		for _, c := range []struct {
			level           sql.IsolationLevel
			dirty, repeated bool
		}{
			{sql.LevelDefault, false, true},
			{sql.LevelReadUncommitted, true, false},
			{sql.LevelReadCommitted, false, false},
			{sql.LevelRepeatableRead, false, true},
			{sql.LevelDefault, false, true}, // and not what it was before
		} {
			t.Run(c.level.String(), func(t *testing.T) {
				start(t, ours, w, backend.TxOptions{Isolation: c.level})
				first := see()
				exec(t, writer, []string{"BEGIN"}, "UPDATE item SET n = n + 1")
				require.Equal(t, c.dirty, see() != first)
				require.NoError(t, writer.Commit(t.Context(), nil))
				require.Equal(t, c.repeated, see() == first)
				require.NoError(t, w.Commit(t.Context(), nil))
			})
		}

		start(t, ours, w, backend.TxOptions{Isolation: sql.LevelSerializable})
		see()
		wait := ours.Engine.LockWait(time.Second)
		err := refused(t, writer, wait.Inside, "UPDATE item SET n = n + 1")
		require.ErrorIs(t, backend.Classify(ours, err), dialect.ErrLockNotAvailable, "a read locks")
		require.NoError(t, w.Commit(t.Context(), nil))

		for _, level := range []sql.IsolationLevel{sql.LevelSnapshot, sql.LevelLinearizable, sql.LevelWriteCommitted} {
			_, err := ours.Engine.Begin(backend.TxOptions{Isolation: level})
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		}
		_, err = ours.Engine.Begin(backend.TxOptions{Deferrable: true})
		require.ErrorIs(t, err, dialect.ErrUnsupported)
	})
}

func TestB22_ReadOnly(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)")
		ours := open(t, db.DSN)
		w := take(t, ours)
		c := start(t, ours, w, backend.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead, Timeout: time.Minute})
		err := refused(t, w, nil, "INSERT INTO item VALUES (1)")
		e := backend.Classify(ours, err)
		require.ErrorIs(t, e, dialect.ErrReadOnly)
		require.False(t, e.Fatal)
		require.NoError(t, w.Rollback(t.Context(), c.Restore))
		exec(t, w, nil, "INSERT INTO item VALUES (1)")
	})
}

// variables are what a block may change in its session.
func variables(t *testing.T, w backend.Wire, engine testserver.Engine) []string {
	t.Helper()
	if engine == testserver.MariaDB {
		return ask(t, w, "SELECT @@SESSION.innodb_lock_wait_timeout, @@SESSION.max_statement_time, @@SESSION.idle_transaction_timeout, @@SESSION.lock_wait_timeout")
	}
	return ask(t, w, "SELECT @@SESSION.innodb_lock_wait_timeout, @@SESSION.max_execution_time, @@SESSION.wait_timeout, @@SESSION.lock_wait_timeout")
}

// TestB23: the session is as it was, whatever its settings were, however the
// block ended, and however often Inside and Restore were sent.
func TestB23_SettingsAreTakenBack(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		own := "innodb_lock_wait_timeout=17&lock_wait_timeout=18&max_execution_time=123456&wait_timeout=3333"
		if db.Engine == testserver.MariaDB {
			own = "innodb_lock_wait_timeout=17&lock_wait_timeout=18&max_statement_time=123.456&idle_transaction_timeout=3333"
		}
		ours := open(t, with(db.DSN, own))
		w := take(t, ours)
		before := variables(t, w, db.Engine)
		require.Equal(t, "17", before[0])
		require.Equal(t, "18", before[3])

		lock := 2500 * time.Millisecond
		all := backend.TxOptions{Timeout: 1500 * time.Millisecond, Idle: 30 * time.Second}
		inside := []string{"3", "2500", "31", "3"}
		if db.Engine == testserver.MariaDB {
			inside[1] = "2.5"
		}
		c := start(t, ours, w, all, lock)
		require.Equal(t, inside, variables(t, w, db.Engine))
		require.NoError(t, w.Commit(t.Context(), c.Restore))
		require.Equal(t, before, variables(t, w, db.Engine))

		c = start(t, ours, w, all, lock)
		require.NoError(t, w.Rollback(t.Context(), c.Restore))
		require.Equal(t, before, variables(t, w, db.Engine))

		// A statement's own limit inside the block's.
		c = start(t, ours, w, all, lock)
		wait := ours.Engine.LockWait(9 * time.Second)
		exec(t, w, append(wait.Restore, wait.Inside...), "DO 0")
		require.Equal(t, "9", variables(t, w, db.Engine)[0])
		require.Equal(t, "9", variables(t, w, db.Engine)[3])
		exec(t, w, append(wait.Restore, ours.Engine.LockWait(lock).Inside...), "DO 0")
		require.Equal(t, inside, variables(t, w, db.Engine))
		require.NoError(t, w.Commit(t.Context(), c.Restore))
		require.Equal(t, before, variables(t, w, db.Engine))

		// Twice, or without the other.
		c = start(t, ours, w, all, lock)
		exec(t, w, c.Inside, "DO 0")
		exec(t, w, c.Restore, "DO 0")
		require.Equal(t, before, variables(t, w, db.Engine))
		exec(t, w, c.Restore, "DO 0")
		require.Equal(t, before, variables(t, w, db.Engine))
		require.NoError(t, w.Rollback(t.Context(), wait.Restore))
		require.Equal(t, before, variables(t, w, db.Engine))
	})
}

func TestLimitsAreWithinTheServersRange(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		ours := open(t, db.DSN)
		w := take(t, ours)
		for _, d := range []time.Duration{0, 1, time.Millisecond, time.Second, 1<<63 - 1} {
			c := start(t, ours, w, backend.TxOptions{Timeout: d, Idle: d}, d)
			seen := variables(t, w, db.Engine)
			least := "1"
			if db.Engine == testserver.MariaDB && d == 0 {
				least = "0"
			}
			if d <= time.Second {
				require.Equal(t, least, seen[0], "%v", d)
				require.Equal(t, least, seen[3], "%v", d)
			} else {
				require.Equal(t, "100000000", seen[0])
				require.Equal(t, "31536000", seen[3])
				require.Greater(t, len(seen[1]), 7, "%s", seen)
			}
			require.NoError(t, w.Rollback(t.Context(), c.Restore))
		}
	})
}

// TestB19: the server holds the limits on its own.
func TestB19_TheServerHoldsTheLimits(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (n INT)", "INSERT INTO item VALUES (1), (2), (3)")
		ours := open(t, db.DSN)
		w := take(t, ours)
		c := start(t, ours, w, backend.TxOptions{Timeout: 3 * time.Second})
		_, err := readAll(w.Query(t.Context(), []string{"SAVEPOINT hf_1"}, "SELECT COUNT(*) FROM item WHERE BENCHMARK(2000000000, SHA2('x', 512)) = 0", nil))
		e := backend.Classify(ours, err)
		require.ErrorIs(t, e, dialect.ErrQueryCanceled)
		require.False(t, e.Fatal)
		exec(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, "DO 0")
		require.NoError(t, w.Commit(t.Context(), c.Restore))

		idle := take(t, ours)
		start(t, ours, idle, backend.TxOptions{Idle: time.Millisecond}) // one or two seconds on the server
		gone(t, db, idle)
		err = refused(t, idle, nil, "INSERT INTO item VALUES (4)")
		e = backend.Classify(ours, err)
		require.ErrorIs(t, e, dialect.ErrConnectionLost)
		require.True(t, e.Fatal)
		if db.Engine == testserver.MySQL {
			require.Equal(t, "4031", e.Code)
			require.True(t, e.NotSent, "the server had hung up before")
		}
		require.False(t, idle.Alive())
		require.Equal(t, []string{"3"}, ask(t, w, "SELECT COUNT(*) FROM item"))
	})
}
