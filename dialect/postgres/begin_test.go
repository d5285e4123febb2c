package postgres

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// TestBeginIsWhatWasAskedFor looks at each transaction from inside.
func TestBeginIsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	db := open(t, fresh(t).DSN)
	w := take(t, db)
	defaults := map[string]string{
		"transaction_isolation": "read committed", "transaction_read_only": "off", "transaction_deferrable": "off",
		"lock_timeout": "0", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0",
		"application_name": one(t, w, `SHOW application_name`).(string),
	}
	timeout := "statement_timeout"
	if db.Server.Version.AtLeast(17, 0, 0) {
		timeout = "transaction_timeout"
		defaults[timeout] = "0"
	}
	for _, c := range []struct {
		opts   backend.TxOptions
		begin  string
		inside map[string]string
	}{
		{backend.TxOptions{}, "BEGIN", nil},
		{backend.TxOptions{Isolation: sql.LevelReadUncommitted}, "", map[string]string{"transaction_isolation": "read uncommitted"}},
		{backend.TxOptions{Isolation: sql.LevelReadCommitted}, "", nil},
		{backend.TxOptions{Isolation: sql.LevelRepeatableRead}, "", map[string]string{"transaction_isolation": "repeatable read"}},
		{backend.TxOptions{Isolation: sql.LevelSnapshot}, "", map[string]string{"transaction_isolation": "repeatable read"}},
		{backend.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true}, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
			map[string]string{"transaction_isolation": "serializable", "transaction_read_only": "on"}},
		{backend.TxOptions{ReadOnly: true}, "BEGIN READ ONLY", map[string]string{"transaction_read_only": "on"}},
		{backend.TxOptions{Deferrable: true}, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE",
			map[string]string{"transaction_isolation": "serializable", "transaction_read_only": "on", "transaction_deferrable": "on"}},
		{backend.TxOptions{Timeout: time.Hour, Idle: 90 * time.Second}, "",
			map[string]string{timeout: "3601s", "idle_in_transaction_session_timeout": "91s"}},
		{backend.TxOptions{Timeout: 1 << 62}, "", map[string]string{timeout: "2147483647ms"}},
		{backend.TxOptions{Name: `claim 'rows'\` + "\n한" + strings.Repeat("x", 100)}, "",
			map[string]string{"application_name": "claim 'rows'???" + strings.Repeat("x", 48)}},
	} {
		control, err := db.Engine.Begin(c.opts)
		require.NoError(t, err)
		require.True(t, control.Transactional)
		require.Empty(t, control.Before)
		require.Empty(t, control.Restore)
		if c.begin != "" {
			require.Equal(t, c.begin, control.Begin)
		}
		execAfter(t, w, append([]string{control.Begin}, control.Inside...), `SELECT 1`)
		for name, usual := range defaults {
			want, changed := c.inside[name]
			if !changed {
				want = usual
			}
			require.Equal(t, want, one(t, w, `SHOW `+name), "%+v", c.opts)
		}
		require.NoError(t, w.Commit(t.Context(), nil))
		for name, usual := range defaults { // B23
			require.Equal(t, usual, one(t, w, `SHOW `+name), "after %+v", c.opts)
		}
	}
	for _, opts := range []backend.TxOptions{
		{Isolation: sql.LevelLinearizable},
		{Isolation: sql.LevelWriteCommitted},
		{Isolation: sql.LevelRepeatableRead, Deferrable: true},
	} {
		_, err := db.Engine.Begin(opts)
		require.ErrorIs(t, err, dialect.ErrUnsupported)
	}
}

func TestBeginOnOtherServers(t *testing.T) {
	t.Parallel()
	old := &engine{server: dialect.Server{Product: productPostgreSQL, Version: dialect.Version{Major: 16, Minor: 9}}}
	c, err := old.Begin(backend.TxOptions{Timeout: time.Second})
	require.NoError(t, err)
	require.Equal(t, []string{"SET LOCAL statement_timeout = 2000"}, c.Inside)
	c, err = old.Begin(backend.TxOptions{Timeout: 1<<63 - 1})
	require.NoError(t, err)
	require.Equal(t, []string{"SET LOCAL statement_timeout = 2147483647"}, c.Inside, "a longer limit is not a shorter one")

	cockroach := &engine{server: dialect.Server{Product: productCockroachDB, Version: dialect.Version{Major: 20, Minor: 1}}}
	c, err = cockroach.Begin(backend.TxOptions{Timeout: time.Second, Idle: time.Second})
	require.NoError(t, err)
	require.Equal(t, []string{"SET LOCAL statement_timeout = 2000"}, c.Inside, "and no limit on idleness, which it has since 20.2")
	cockroach.server.Version = dialect.Version{Major: 25}
	c, err = cockroach.Begin(backend.TxOptions{Timeout: time.Second, Idle: time.Second})
	require.NoError(t, err)
	require.Equal(t, []string{"SET LOCAL transaction_timeout = 2000", "SET LOCAL idle_in_transaction_session_timeout = 2000"}, c.Inside)
	_, err = cockroach.Begin(backend.TxOptions{Deferrable: true})
	require.ErrorIs(t, err, dialect.ErrUnsupported)
	_, _, err = cockroach.Resolver().Prepare(t.Context(), nil, nil)
	require.ErrorIs(t, err, dialect.ErrUnsupported)
}

func TestL04_LockWaitHoldsUntilItIsRestored(t *testing.T) {
	t.Parallel()
	db := open(t, fresh(t).DSN)
	w := take(t, db)
	timeout := func() any { return one(t, w, `SHOW lock_timeout`) }
	one := db.Engine.LockWait(1200 * time.Millisecond)
	now := db.Engine.LockWait(0)
	require.True(t, one.Transactional)

	execAfter(t, w, []string{"BEGIN", "SET LOCAL lock_timeout = '7s'"}, `SELECT 1`)
	execAfter(t, w, one.Inside, `SELECT 1`)
	require.Equal(t, "1200ms", timeout())
	execAfter(t, w, append(one.Restore, now.Inside...), `SELECT 1`)
	require.Equal(t, "1ms", timeout())
	execAfter(t, w, append(now.Restore, db.Engine.LockWait(1001*time.Microsecond).Inside...), `SELECT 1`)
	require.Equal(t, "2ms", timeout())
	execAfter(t, w, now.Restore, `SELECT 1`)
	require.Equal(t, "7s", timeout())

	// A rollback takes it back as well.
	execAfter(t, w, append([]string{"SAVEPOINT hf_1"}, one.Inside...), `SELECT 1`)
	require.Error(t, fails(w.Exec(t.Context(), nil, `SELECT 1/0`, nil)))
	execAfter(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, `SELECT 1`)
	require.Equal(t, "7s", timeout())
	execAfter(t, w, one.Inside, `SELECT 1`)
	require.NoError(t, w.Commit(t.Context(), nil))
	require.Equal(t, "0", timeout())
}
