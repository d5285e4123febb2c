package mysql_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// On a server that rolls the whole transaction back at a lock wait timeout, the
// error is fatal, and A1 holds where the server's default is autocommit off.
func TestAServerWithItsOwnDefaults(t *testing.T) {
	t.Parallel()
	for _, engine := range []testdb.Engine{testdb.MySQL, testdb.MariaDB} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			withoutTLS := map[testdb.Engine]string{testdb.MySQL: "--tls-version=", testdb.MariaDB: "--skip-ssl"}
			server := testdb.NewServer(t, engine, testdb.Flags(withoutTLS[engine], "--innodb-rollback-on-timeout=ON", "--autocommit=0",
				"--completion-type=CHAIN", "--sql-mode=ANSI_QUOTES", "--character-set-server=latin1", "--default-time-zone=+09:00", "--innodb-lock-wait-timeout=7"))
			db := server.New(t)
			admin(t, db, "CREATE TABLE account (id INT PRIMARY KEY, n INT)", "INSERT INTO account VALUES (1, 0), (2, 0)", "COMMIT")
			ours, err := backend.Connect(t.Context(), mysql.Open(db.DSN))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, ours.Close()) })
			require.True(t, ours.Server.RollbackOnTimeout)
			_, err = backend.Connect(t.Context(), mysql.Open(db.DSN+"?tls=true"))
			var refusal *dialect.OpenError
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, "tls", refusal.Setting)
			require.ErrorContains(t, err, "no TLS")
			c, err := ours.Pool.Conn(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() { _ = c.Close() })
			var w backend.Wire
			require.NoError(t, c.Raw(func(dc any) error { w = ours.Engine.Wire(dc); return nil }))
			require.Equal(t, []string{"1", "+00:00", "utf8mb4", "utf8mb4", "utf8mb4"}, ask(t, w,
				"SELECT @@autocommit, @@time_zone, @@character_set_client, @@character_set_connection, @@character_set_results"))
			mode := ask(t, w, "SELECT @@sql_mode")[0]
			require.Contains(t, mode, "ANSI_QUOTES")
			require.Contains(t, mode, "STRICT_TRANS_TABLES")
			require.Equal(t, []string{"a", "1"}, ask(t, w, `SELECT 'a' AS "q", 1`))

			exec(t, w, nil, "UPDATE account SET n = 3 WHERE id = 2")
			var n int
			require.NoError(t, db.Admin.QueryRow("SELECT n FROM account WHERE id = 2").Scan(&n))
			require.Equal(t, 3, n, "rule A1: in autocommit")

			holder, err := db.Admin.Conn(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() {
				_, _ = holder.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK")
				require.NoError(t, holder.Close())
			})
			_, err = holder.ExecContext(t.Context(), "BEGIN; UPDATE account SET n = 1 WHERE id = 1")
			require.NoError(t, err)
			wait := ours.Engine.LockWait(time.Second)
			exec(t, w, []string{"BEGIN"}, "UPDATE account SET n = 4 WHERE id = 2")
			err = refused(t, w, append(wait.Inside, "SAVEPOINT hf_1"), "UPDATE account SET n = 4 WHERE id = 1")
			e := ours.Engine.Classify(err)
			require.ErrorIs(t, e, dialect.ErrLockNotAvailable)
			require.True(t, e.Fatal)
			err = refused(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, "UPDATE account SET n = 5 WHERE id = 2")
			require.Equal(t, 1305, number(err), "the server has rolled back all of it")
			require.NoError(t, w.Rollback(t.Context(), wait.Restore))
			require.Equal(t, []string{"3", "7"}, ask(t, w, "SELECT n, @@SESSION.innodb_lock_wait_timeout FROM account WHERE id = 2"))

			// NOWAIT: whether it is fatal is the server's decision, and ours.
			exec(t, w, []string{"BEGIN"}, "UPDATE account SET n = 4 WHERE id = 2")
			err = refused(t, w, []string{"SAVEPOINT hf_1"}, "SELECT n FROM account WHERE id = 1 FOR UPDATE NOWAIT")
			e = ours.Engine.Classify(err)
			require.ErrorIs(t, e, dialect.ErrLockNotAvailable)
			_, err = w.Exec(t.Context(), []string{"ROLLBACK TO SAVEPOINT hf_1"}, "DO 1", nil)
			require.Equal(t, engine == testdb.MariaDB, e.Fatal)
			require.Equal(t, e.Fatal, number(err) == 1305, "%v", err)

			// completion_type=CHAIN leaves a transaction open behind COMMIT.
			require.NoError(t, w.Rollback(t.Context(), nil))
			exec(t, w, []string{"BEGIN"}, "UPDATE account SET n = 6 WHERE id = 2")
			require.NoError(t, w.Commit(t.Context(), nil))
			require.False(t, w.Idle(), "rule B13")
			require.NoError(t, c.Close())
		})
	}
}
