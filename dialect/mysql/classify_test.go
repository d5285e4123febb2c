package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// The values that no message may show.
const (
	secret       = "s3cret'v4lue"
	secretNumber = 987654321
)

// TestS05: each error of the servers has its kind, and a message that names
// tables, columns and keys, but no value.
func TestS05_KindsAndMessages(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db,
			"CREATE TABLE parent (id INT PRIMARY KEY)", "INSERT INTO parent VALUES (1)",
			"CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL, n INT UNSIGNED, at DATETIME, parent INT, doc JSON, "+
				"UNIQUE KEY name_once (name), CONSTRAINT not_too_large CHECK (n < 900000000), CONSTRAINT has_parent FOREIGN KEY (parent) REFERENCES parent (id))",
			fmt.Sprintf("INSERT INTO item (id, name, n, parent) VALUES (1, 's3cret''v4lue', 1, 1), (%d, 'b', 1, 1)", secretNumber),
			"CREATE TABLE parted (id INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))",
			"CREATE PROCEDURE raises(message VARCHAR(50)) BEGIN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = message; END",
		)
		ours := open(t, db.DSN)
		w := take(t, ours)
		for _, c := range []struct {
			query string
			args  []any
			kind  error
			says  string
		}{
			{"INSERT INTO item (id, name) VALUES (2, ?)", []any{secret}, dialect.ErrUniqueViolation, "name_once"},
			{"INSERT INTO item (id, name) VALUES (?, 'x')", []any{secretNumber}, dialect.ErrUniqueViolation, "PRIMARY"},
			{"INSERT INTO item (id, name, parent) VALUES (2, 'x', ?)", []any{secretNumber}, dialect.ErrForeignKeyViolation, "has_parent"},
			{"DELETE FROM parent", nil, dialect.ErrForeignKeyViolation, "has_parent"},
			{"INSERT INTO item (id, name, n) VALUES (2, 'x', ?)", []any{secretNumber}, dialect.ErrCheckViolation, "not_too_large"},
			{"INSERT INTO item (id, name) VALUES (2, NULL)", nil, dialect.ErrNotNullViolation, "name"},
			{"INSERT INTO item (id) VALUES (2)", nil, dialect.ErrNotNullViolation, "name"},
			{"INSERT INTO item (id, name) VALUES (2, ?)", []any{strings.Repeat(secret, 9)}, nil, "Data too long for column 'name'"},
			{"INSERT INTO item (id, name, n) VALUES (2, 'x', ?)", []any{secret}, nil, "Incorrect integer value"},
			{"INSERT INTO item (id, name, n) VALUES (2, 'x', -?)", []any{secretNumber}, nil, "Out of range value for column 'n'"},
			{"INSERT INTO item (id, name, at) VALUES (2, 'x', ?)", []any{secret}, nil, "Incorrect datetime value"},
			{"INSERT INTO item (id, name, at) VALUES (2, 'x', STR_TO_DATE(?, '%Y'))", []any{secret}, nil, "str_to_date"},
			{"INSERT INTO item (id, name) VALUES (2, ?)", []any{secret + "\xff"}, nil, "Incorrect string value"},
			{"UPDATE item SET n = n - ?", []any{secretNumber}, nil, "BIGINT UNSIGNED value is out of range"},
			{"INSERT INTO parted VALUES (?)", []any{secretNumber}, nil, "Table has no partition for value"},
			{"CALL raises(?)", []any{secret}, nil, "raised by SIGNAL, SQLSTATE 45000"},
			{"SELECT * FROM item WHERE name = ? AND AND n = ?", []any{secret, secretNumber}, nil, `syntax error near "AND" at line 1`},
			{"SELECT * FROM item WHERE ? name", []any{secret}, nil, "syntax error"},
			{"SELECT ? ? ?", []any{secretNumber, secretNumber, secret}, nil, "syntax error"},
			{"SELECT nothing FROM item WHERE name = ?", []any{secret}, nil, "'nothing'"},
			{"SELECT * FROM nowhere WHERE name = ?", []any{secret}, nil, "nowhere"},
			{"SELECT CAST(? AS DATE) + NO_SUCH(?)", []any{secret, secret}, nil, "NO_SUCH"},
			{"UPDATE item SET n = CAST(? AS SIGNED)", []any{secret}, nil, "Truncated incorrect INTEGER value"},
			{"UPDATE item SET n = CAST(? AS SIGNED)", []any{"x' for column '" + secret + "' at row 1"}, nil, "Truncated incorrect INTEGER value"},
			{"UPDATE item SET n = CAST(? AS SIGNED)", []any{"x for function " + secret}, nil, "Truncated incorrect INTEGER value"},
			{"INSERT INTO item (id, name, n) VALUES (2, 'x', ?)", []any{"x' for column '" + secret}, nil, "Incorrect integer value for column"},
			{"SET time_zone = ?", []any{secret}, nil, "Unknown or incorrect time zone"},
			{"SELECT * FROM item WHERE id = (SELECT id FROM item)", nil, nil, "Subquery returns more than 1 row"},
			{"SELECT (SELECT 1, 2)", nil, nil, "column"},
			{"INSERT INTO item (id) VALUES (1, 2)", nil, nil, "Column count doesn't match value count"},
		} {
			t.Run(c.query[:min(len(c.query), 50)], func(t *testing.T) {
				_, err := w.Exec(t.Context(), []string{"BEGIN"}, c.query, c.args)
				require.Error(t, err)
				require.NoError(t, w.Rollback(t.Context(), nil))
				e := backend.Classify(ours, err)
				require.Equal(t, c.kind, e.Kind, "%v", err)
				require.False(t, e.Fatal)
				require.Equal(t, string(db.Engine), e.Engine)
				require.NotEmpty(t, e.Code)
				if c.kind != nil {
					require.ErrorIs(t, e, c.kind)
				}
				require.NotContains(t, e.Error(), "s3cret")
				require.NotContains(t, e.Error(), fmt.Sprint(secretNumber))
				require.NotContains(t, e.Error(), "v4lue")
				require.Contains(t, strings.ToLower(e.Error()), strings.ToLower(c.says), "%v", err)
				var own *godriver.MySQLError
				require.ErrorAs(t, e, &own)
			})
		}
	})
}

// What SIGNAL raises may have any number, and any text.
func TestS05_SignalsWithANumber(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		ours := open(t, db.DSN)
		for name, s := range map[string]struct {
			state  string
			number int
			text   string
			kind   error
			says   string
		}{
			"a deadlock":         {"40001", 1213, "s3cret has the row", dialect.ErrDeadlock, "not the server's own"},
			"a missing parent":   {"23000", 1452, "s3cret is unknown", dialect.ErrForeignKeyViolation, "not the server's own"},
			"a key with quotes":  {"23000", 1062, "no lock for key 's3cret'", dialect.ErrUniqueViolation, "duplicate entry"},
			"a missing column":   {"23000", 1048, "no 's3cret'", dialect.ErrNotNullViolation, "not the server's own"},
			"a key":              {"23000", 1062, "no lock for key s3cret", dialect.ErrUniqueViolation, "duplicate entry"},
			"too long":           {"22001", 1406, "s3cret", nil, "not the server's own"},
			"a syntax error":     {"42000", 1064, "s3cret is not good at line s3cret", nil, "syntax error"},
			"a state of its own": {"TR001", 1213, "s3cret has the row", dialect.ErrDeadlock, "raised by SIGNAL, SQLSTATE TR001"},
			"and a number":       {"HY000", 30001, "s3cret", nil, "raised by SIGNAL, SQLSTATE HY000"},
		} {
			procedure := "signals_" + strings.ReplaceAll(name, " ", "_")
			admin(t, db, fmt.Sprintf("CREATE PROCEDURE %s(v VARCHAR(100)) SIGNAL SQLSTATE '%s' SET MYSQL_ERRNO = %d, MESSAGE_TEXT = v", procedure, s.state, s.number))
			_, err := take(t, ours).Exec(t.Context(), nil, "CALL "+procedure+"(?)", []any{s.text})
			require.Error(t, err, name)
			e := backend.Classify(ours, err)
			require.Equal(t, s.kind, e.Kind, name)
			require.Equal(t, fmt.Sprint(s.number), e.Code)
			require.NotContains(t, e.Error(), "s3cret", name)
			require.Empty(t, e.Constraint, name)
			require.Empty(t, e.Columns, name)
			require.Contains(t, e.Error(), s.says, name)
		}
	})
}

// What the servers themselves say is shown, also by way of Vitess.
func TestS05_TextsOfTheServersOwn(t *testing.T) {
	require.Equal(t, "raised by SIGNAL", message(&godriver.MySQLError{Number: 30001, Message: "s3cret"}), "by way of a proxy that tells no SQLSTATE")
	for text, number := range map[string]uint16{
		"Deadlock found when trying to get lock; try restarting transaction":                                                                 1213,
		"WSREP detected deadlock/conflict and aborted the transaction. Try restarting the transaction":                                       1213,
		"Lock wait timeout exceeded; try restarting transaction":                                                                             1205,
		"Record has changed since last read in table 't'":                                                                                    1020,
		"Record has changed since last read in table 't'; try restarting transaction":                                                        1020,
		"Table definition has changed, please retry transaction":                                                                             1412,
		"Column 'v' cannot be null":                                                                                                          1048,
		"Cannot delete or update a parent row: a foreign key constraint fails":                                                               1217,
		"Cannot add or update a child row: a foreign key constraint fails (`d`.`t`, CONSTRAINT `c` FOREIGN KEY":                              0,
		"Cannot add or update a child row: a foreign key constraint fails (`d`.`t`, CONSTRAINT `c` FOREIGN KEY (`a`) REFERENCES `u` (`id`))": 1452,
		"Cannot execute statement in a READ ONLY transaction.":                                                                               1792,
		"Check constraint 'c' is violated.":                                                                                                  3819,
		"CONSTRAINT `c` failed for `d`.`t`":                                                                                                  4025,
		"Statement aborted because lock(s) could not be acquired immediately and NOWAIT is set.":                                             3572,
	} {
		if number == 0 {
			require.False(t, serversOwn(1452, text), "it does not end")
			continue
		}
		require.Equal(t, text, message(&godriver.MySQLError{Number: number, Message: text}))
		vitess := fmt.Sprintf("target: holdfast.-.primary: vttablet: rpc error: code = Aborted desc = %s (errno %d) (sqlstate HY000)", text, number)
		require.Equal(t, "target: holdfast.-.primary: "+text, message(&godriver.MySQLError{Number: number, Message: vitess}))
	}
}

// Vitess adds the caller, the statement and its values to what the server behind it
// has said; what it says itself may quote them too.
func TestS05_MessagesOfVitess(t *testing.T) {
	const where, after = "target: holdfast.-80.primary: ", ` (CallerID: userData1): Sql: "insert into acct(id, v) values (:vtg1, 's3cret')", ` +
		`BindVars: {vtg1: "type:INT64 value:\"987654321\""}`
	for _, c := range []struct {
		number     uint16
		text, want string
	}{
		{1048, where + "vttablet: rpc error: code = InvalidArgument desc = Column 'v' cannot be null (errno 1048) (sqlstate 23000)" + after, where + "Column 'v' cannot be null"},
		{1062, where + "vttablet: Duplicate entry '987654321' for key 'acct.PRIMARY' (errno 1062) (sqlstate 23000)" + after, where + "duplicate entry for key 'acct.PRIMARY'"},
		{1213, where + "vttablet: rpc error: code = Aborted desc = Deadlock found when trying to get lock; try restarting transaction (errno 1213)" + after,
			where + "Deadlock found when trying to get lock; try restarting transaction"},
		{1242, where + "vttablet: Subquery returns more than 1 row (errno 1242) (sqlstate 21000)" + after, where + "Subquery returns more than 1 row"},
		{1366, where + "vttablet: Incorrect integer value: 's3cret' for column 'n' at row 1 (errno 1366)" + after, where + "Incorrect integer value for column 'n' at row 1"},
		{2013, where + "vttablet: rpc error: code = Unavailable desc = Lost connection to MySQL server during query (errno 2013)" + after, where + "Lost connection to MySQL server during query"},
		{1193, "VT05006: unknown system variable '@@no_such_variable = 's3cret''", "VT05006: unknown system variable"},
		{1235, "VT12001: unsupported: 987654321 in the text", "VT12001: unsupported"},
		{1317, `multi-db transaction attempted: [target:{keyspace:"holdfast" shard:"-80"} transaction_id:7]`, `multi-db transaction attempted: [target:{keyspace:"holdfast" shard:"-80"} transaction_id:7]`},
		{1317, "s3cret: multi-db transaction attempted", notOwn},
		{1105, "syntax error at position 8 near 's3cret'", "syntax error at position"},
	} {
		e := new(engine).Classify(&godriver.MySQLError{Number: c.number, Message: c.text})
		require.Equal(t, c.want, e.Message)
	}
}

// A value may look like the end of the message, and a name is not always alone.
func TestS05_NamesInTexts(t *testing.T) {
	for _, c := range []struct {
		engine string
		number uint16
		text   string
		want   string
	}{
		{dialect.MySQL, 1062, "Duplicate entry 's3cret' for key 't.name_once'", "name_once"},
		{dialect.MySQL, 1062, "Duplicate entry 's3cret' for key 'name_once'", "name_once"}, // before 8.0.19
		{dialect.MySQL, 1062, "Duplicate entry 'x' for key 's3cret' for key 't.name_once'", "name_once"},
		{dialect.MySQL, 1062, "Duplicate entry 'x\ny' for key 't.name_once'", "name_once"},
		{dialect.MySQL, 1062, "Duplicate entry 'x' for key 's3cret", ""},
		{dialect.MySQL, 1062, "Duplicate entry 's3cret' for key 2", ""},
		{dialect.MySQL, 1062, "Doppelter Eintrag 's3cret' f\u00fcr Schl\u00fcssel 't.name_once'", ""},
		{dialect.MariaDB, 1062, "Duplicate entry 's3cret' for key 'a.b'", "a.b"},
		{dialect.MySQL, 1062, "target: holdfast.-80.primary: vttablet: Duplicate entry 's3cret' for key 'acct.PRIMARY' (errno 1062) (sqlstate 23000) (CallerID: u)", "PRIMARY"},
		{dialect.MariaDB, 1569, "ALTER TABLE causes auto_increment resequencing, resulting in duplicate entry 's3cret' for key 'PRIMARY'", "PRIMARY"},
		{dialect.MariaDB, 1761, "Foreign key constraint for table 'p', record 's3cret' would lead to a duplicate entry in table 'c', key 'once'", "once"},
		{dialect.MariaDB, 1452, "Cannot add or update a child row: a foreign key constraint fails (`d`.`t`, CONSTRAINT `a``b` FOREIGN KEY (`a`) REFERENCES `u` (`id`))", "a`b"},
	} {
		e := (&engine{server: dialect.Server{Engine: c.engine}}).Classify(&godriver.MySQLError{Number: c.number, Message: c.text})
		require.Equal(t, c.want, e.Constraint, c.text)
		require.NotContains(t, e.Error(), "s3cret")
	}
}

func TestS05_ErrorsThatAreNotTheServers(t *testing.T) {
	e := &engine{server: dialect.Server{Engine: dialect.MySQL}}
	require.Nil(t, e.Classify(nil))
	for _, lost := range []error{godriver.ErrInvalidConn, io.EOF, io.ErrUnexpectedEOF, godriver.ErrMalformPkt, errClosed, context.Canceled} {
		c := e.Classify(fmt.Errorf("wrapped: %w", lost))
		require.ErrorIs(t, c, dialect.ErrConnectionLost)
		require.ErrorIs(t, c, lost)
		require.True(t, c.Fatal)
		require.False(t, c.NotSent)
		require.Empty(t, c.Code)
	}
	d := &backend.Database{Engine: e}
	c := backend.Classify(d, &backend.NotSentError{Err: context.DeadlineExceeded})
	require.Nil(t, c.Kind)
	require.False(t, c.Fatal)
	require.True(t, c.NotSent)

	c = backend.Classify(d, &backend.NotSentError{Closed: true, Err: errClosed})
	require.ErrorIs(t, c, dialect.ErrConnectionLost)
	require.True(t, c.NotSent)

	c = backend.Classify(d, &backend.PrefixError{Statement: "BEGIN", Err: &godriver.MySQLError{Number: 1399, Message: "XAER_RMFAIL: …"}})
	require.True(t, c.Fatal)
	require.True(t, strings.HasPrefix(c.Message, "BEGIN was refused: "))
	require.Same(t, c, backend.Classify(d, fmt.Errorf("again: %w", c)))

	c = e.Classify(errors.New("something else"))
	require.Nil(t, c.Kind)
	require.False(t, c.Fatal)
}

// Numbers that mean different things, and those that no test can provoke.
func TestS05_NumbersByEngine(t *testing.T) {
	my, maria := dialect.Server{Engine: dialect.MySQL}, dialect.Server{Engine: dialect.MariaDB}
	readOnly := "The MySQL server is running with the --read-only option so it cannot execute this statement"
	for _, c := range []struct {
		server  dialect.Server
		number  uint16
		message string
		kind    error
		fatal   bool
	}{
		{my, 4025, "AUTOEXTEND_SIZE value should be between 4M and 4096M", nil, false},
		{maria, 4025, "CONSTRAINT `c` failed for `d`.`t`", dialect.ErrCheckViolation, false},
		{maria, 1020, "Record has changed since last read in table 't'", dialect.ErrSerializationFailure, true},
		{my, 1020, "Record has changed since last read in table 't'", nil, false},
		{my, 1412, "Table definition has changed, please retry transaction", dialect.ErrSerializationFailure, true},
		{maria, 1412, "Table definition has changed, please retry transaction", dialect.ErrSerializationFailure, true},
		{my, 3101, "Plugin instructed the server to rollback the current transaction.", dialect.ErrSerializationFailure, true},
		{my, 1290, readOnly, dialect.ErrReadOnly, false},
		{my, 1290, "The MySQL server is running with the --secure-file-priv option so it cannot execute this statement", nil, false},
		{my, 1836, "Running in read-only mode", dialect.ErrReadOnly, false},
		{my, 1206, "The total number of locks exceeds the lock table size", nil, true},
		{my, 1180, "Got error 28 - 'No space left on device' during COMMIT", nil, true},
		{my, 1053, "Server shutdown in progress", dialect.ErrConnectionLost, true},
		{my, 4031, "The client was disconnected by the server because of inactivity.", dialect.ErrConnectionLost, true},
		{maria, 1927, "Connection was killed", dialect.ErrConnectionLost, true},
		{my, 1305, "SAVEPOINT hf_1 does not exist", nil, true},
		{my, 1305, "PROCEDURE d.hf_1 does not exist", nil, false},
		{my, 1205, "Lock wait timeout exceeded; try restarting transaction", dialect.ErrLockNotAvailable, false},
		{dialect.Server{Engine: dialect.MySQL, RollbackOnTimeout: true}, 1205, "Lock wait timeout exceeded", dialect.ErrLockNotAvailable, true},
	} {
		e := (&engine{server: c.server}).Classify(&godriver.MySQLError{Number: c.number, Message: c.message})
		require.Equal(t, c.kind, e.Kind, "%s %d", c.server.Engine, c.number)
		require.Equal(t, c.fatal, e.Fatal, "%s %d", c.server.Engine, c.number)
	}
}

// MariaDB's snapshots notice a change by somebody else and roll back.
func TestB08_ASnapshotConflictOnMariaDB(t *testing.T) {
	t.Parallel()
	db := testserver.New(t, testserver.MariaDB)
	admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY, n INT)", "INSERT INTO item VALUES (1, 0), (2, 0)")
	if v := open(t, db.DSN).Server.Version; !v.AtLeast(10, 6, 18) {
		t.Skipf("MariaDB %s has no innodb_snapshot_isolation; 10.6.18 brought it", v)
	}
	ours := open(t, with(db.DSN, "innodb_snapshot_isolation=1"))
	w := take(t, ours)
	exec(t, w, []string{"BEGIN"}, "UPDATE item SET n = 5 WHERE id = 2")
	ask(t, w, "SELECT * FROM item")
	admin(t, db, "UPDATE item SET n = 1 WHERE id = 1")
	err := refused(t, w, []string{"SAVEPOINT hf_1"}, "UPDATE item SET n = 2 WHERE id = 1")
	e := backend.Classify(ours, err)
	require.ErrorIs(t, e, dialect.ErrSerializationFailure)
	require.Equal(t, "1020", e.Code)
	require.True(t, e.Fatal)
	err = refused(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, "DO 0")
	require.Equal(t, 1305, number(err), "the transaction is gone")
}
