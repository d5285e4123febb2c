package mysql

import (
	"errors"
	"testing"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// A server that goes read-only under its connections: none of them is handed out
// again, unless the DSN says rejectReadOnly=false. One that is opened afterwards is.
func TestAServerThatIsNoWriterAnyMore(t *testing.T) {
	for _, leave := range []bool{false, true} {
		c := &connector{settings: &settings{leaveReadOnly: leave}}
		other, finder := &conn{connector: c}, &conn{connector: c}
		w := &wire{demoted: finder.demote}
		_ = w.refused(&godriver.MySQLError{Number: 1792})
		require.False(t, other.old(), "a block that is read-only itself")
		refused := &godriver.MySQLError{Number: 1836, Message: "Running in read-only mode"}
		require.Equal(t, error(refused), w.refused(refused))
		require.Equal(t, leave, other.old())
		require.Equal(t, leave, finder.old())
		_ = w.refused(refused)
		later := &conn{connector: c, demoted: c.demoted.Load()}
		require.False(t, later.old())
		_ = w.refused(refused)
		require.False(t, later.old(), "what an old connection says again is no news")
	}
}

// The words of clusters, and what each means for COMMIT.
func TestClassifyClusters(t *testing.T) {
	for _, c := range []struct {
		number    uint16
		message   string
		kind      error
		uncertain bool
		vitess    bool
	}{
		{1180, "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT", dialect.ErrDeadlock, false, false},
		{1180, "Error while appending streaming replication fragment(provider status: Not connected to Primary Component)", nil, true, false},
		{1180, "Got error 6 \"No such device or address\" during COMMIT", nil, true, false},
		{1180, "wsrep_max_ws_rows exceeded", dialect.ErrTooLarge, false, false},
		{1180, "Got error 90 \"Message too long\" during COMMIT", dialect.ErrTooLarge, false, false},
		{1213, "Deadlock found when trying to get lock; try restarting transaction", dialect.ErrDeadlock, false, false},
		{3100, "Error on observer while running replication hook 'before_commit'.", dialect.ErrTooLarge, true, false},
		{1598, "Binary logging not possible. Message: An error occurred during sync stage of the commit. 'binlog_error_action' is set to 'ABORT_SERVER'.",
			dialect.ErrConnectionLost, true, false},
		{1598, "Binary logging not possible. Message: Either disk is full, file system is read only or there was an encryption error while opening the binlog. Aborting the server.",
			dialect.ErrConnectionLost, true, false},
		{1598, "Binary logging not possible. Message: Transaction level 'READ-COMMITTED' in InnoDB is not safe for binlog mode 'STATEMENT'", nil, false, false},
		{3101, "Plugin instructed the server to rollback the current transaction.", dialect.ErrSerializationFailure, false, false},
		{1153, "Got a packet bigger than 'max_allowed_packet' bytes", dialect.ErrTooLarge, false, false},
		{1197, "Multi-statement transaction required more than 'max_binlog_cache_size' bytes of storage", dialect.ErrTooLarge, false, false},
		{2006, "target: holdfast.80-.primary: vttablet: (errno 2006)", dialect.ErrConnectionLost, true, true},
		{2013, "target: holdfast.80-.primary: vttablet: (errno 2013)", dialect.ErrConnectionLost, true, true},
		{1213, "target: holdfast.80-.primary: Deadlock found", dialect.ErrDeadlock, true, true},
		{1047, "WSREP has not yet prepared node for application use", dialect.ErrConnectionLost, false, false},
	} {
		refused := &godriver.MySQLError{Number: c.number, Message: c.message}
		got := new(engine).Classify(refused)
		require.Equal(t, c.kind, got.Kind, c.message)
		var u *backend.UncertainError
		require.Equal(t, c.uncertain, errors.As(uncertain(refused, c.vitess), &u), c.message)
	}
	require.True(t, new(engine).Classify(&godriver.MySQLError{Number: 1047, Message: "WSREP has not yet prepared node for application use"}).NotSent)
	require.NotErrorIs(t, new(engine).Classify(&godriver.MySQLError{Number: 1047, Message: "Unknown command"}), dialect.ErrConnectionLost)
	require.ErrorIs(t, new(engine).Classify(godriver.ErrPktTooLarge), dialect.ErrTooLarge)
}

// What TiDB answers to a COMMIT that has met another, as its manual ("Error Codes and
// Troubleshooting") has it, and MySQL never says.
func TestClassifyTiDB(t *testing.T) {
	tidb := &engine{server: dialect.Server{Engine: dialect.MySQL, Product: "TiDB", Version: dialect.Version{Major: 8, Minor: 5}}}
	for number, kind := range map[uint16]error{
		8002: dialect.ErrSerializationFailure, 8005: dialect.ErrSerializationFailure, 8022: dialect.ErrSerializationFailure,
		8028: dialect.ErrSerializationFailure, 9007: dialect.ErrSerializationFailure, 8004: dialect.ErrTooLarge,
		1213: dialect.ErrDeadlock, 3572: dialect.ErrLockNotAvailable,
	} {
		refused := &godriver.MySQLError{Number: number, Message: "…"}
		got := tidb.Classify(refused)
		require.Equal(t, kind, got.Kind, number)
		require.Equal(t, kind == dialect.ErrSerializationFailure || kind == dialect.ErrDeadlock, got.Fatal, number)
		if number > 8000 {
			require.NoError(t, new(engine).Classify(refused).Kind, number)
		}
	}
}
