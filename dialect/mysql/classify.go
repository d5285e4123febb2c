package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// kinds are the errors that both servers number alike. Source: the servers'
// own lists of messages (share/messages_to_clients.txt of MySQL 9.7,
// sql/share/errmsg-utf8.txt of MariaDB 11.8).
var kinds = map[uint16]error{
	1022: dialect.ErrUniqueViolation, // ER_DUP_KEY
	1062: dialect.ErrUniqueViolation, // ER_DUP_ENTRY
	1569: dialect.ErrUniqueViolation, // ER_DUP_ENTRY_AUTOINCREMENT_CASE
	1586: dialect.ErrUniqueViolation, // ER_DUP_ENTRY_WITH_KEY_NAME
	1761: dialect.ErrUniqueViolation, // ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO
	1762: dialect.ErrUniqueViolation, // ER_FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO
	1859: dialect.ErrUniqueViolation, // ER_DUP_UNKNOWN_IN_INDEX

	1216: dialect.ErrForeignKeyViolation, // ER_NO_REFERENCED_ROW
	1217: dialect.ErrForeignKeyViolation, // ER_ROW_IS_REFERENCED
	1451: dialect.ErrForeignKeyViolation, // ER_ROW_IS_REFERENCED_2
	1452: dialect.ErrForeignKeyViolation, // ER_NO_REFERENCED_ROW_2

	1048: dialect.ErrNotNullViolation, // ER_BAD_NULL_ERROR
	1263: dialect.ErrNotNullViolation, // ER_WARN_NULL_TO_NOTNULL
	1364: dialect.ErrNotNullViolation, // ER_NO_DEFAULT_FOR_FIELD

	1205: dialect.ErrLockNotAvailable, // ER_LOCK_WAIT_TIMEOUT; MariaDB: also NOWAIT

	1213: dialect.ErrDeadlock, // ER_LOCK_DEADLOCK
	1614: dialect.ErrDeadlock, // ER_XA_RBDEADLOCK

	// ER_TABLE_DEF_CHANGED: a table was rebuilt or truncated behind the snapshot of the
	// transaction, which goes on but can never read it.
	1412: dialect.ErrSerializationFailure,

	1792: dialect.ErrReadOnly, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
	1836: dialect.ErrReadOnly, // ER_READ_ONLY_MODE

	1317: dialect.ErrQueryCanceled, // ER_QUERY_INTERRUPTED

	1053: dialect.ErrConnectionLost, // ER_SERVER_SHUTDOWN
	1080: dialect.ErrConnectionLost, // ER_FORCING_CLOSE
	1152: dialect.ErrConnectionLost, // ER_ABORTING_CONNECTION
	1154: dialect.ErrConnectionLost, // ER_NET_READ_ERROR_FROM_PIPE
	1155: dialect.ErrConnectionLost, // ER_NET_FCNTL_ERROR
	1156: dialect.ErrConnectionLost, // ER_NET_PACKETS_OUT_OF_ORDER
	1157: dialect.ErrConnectionLost, // ER_NET_UNCOMPRESS_ERROR
	1158: dialect.ErrConnectionLost, // ER_NET_READ_ERROR
	1159: dialect.ErrConnectionLost, // ER_NET_READ_INTERRUPTED
	1160: dialect.ErrConnectionLost, // ER_NET_ERROR_ON_WRITE
	1161: dialect.ErrConnectionLost, // ER_NET_WRITE_INTERRUPTED
	1184: dialect.ErrConnectionLost, // ER_NEW_ABORTING_CONNECTION
	2006: dialect.ErrConnectionLost, // CR_SERVER_GONE_ERROR, of a server behind Vitess
	2013: dialect.ErrConnectionLost, // CR_SERVER_LOST, likewise

	packetTooLarge: dialect.ErrTooLarge, // after which the server closes the connection
	1197:           dialect.ErrTooLarge, // ER_TRANS_CACHE_FULL
}

// Where the two have gone their own ways, a number can mean different things:
// 4025 is a CHECK constraint on MariaDB and an option's range on MySQL.
var mysqlKinds = map[uint16]error{
	3819: dialect.ErrCheckViolation,       // ER_CHECK_CONSTRAINT_VIOLATED
	3572: dialect.ErrLockNotAvailable,     // ER_LOCK_NOWAIT
	3058: dialect.ErrDeadlock,             // ER_USER_LOCK_DEADLOCK, of GET_LOCK
	3101: dialect.ErrSerializationFailure, // ER_TRANSACTION_ROLLBACK_DURING_COMMIT
	3100: dialect.ErrTooLarge,             // ER_RUN_HOOK_ERROR
	3024: dialect.ErrQueryCanceled,        // ER_QUERY_TIMEOUT
	3032: dialect.ErrConnectionLost,       // ER_SERVER_OFFLINE_MODE
	3169: dialect.ErrConnectionLost,       // ER_SESSION_WAS_KILLED
	4031: dialect.ErrConnectionLost,       // ER_CLIENT_INTERACTION_TIMEOUT
}

var mariadbKinds = map[uint16]error{
	1020: dialect.ErrSerializationFailure, // ER_CHECKREAD, by innodb_snapshot_isolation
	1927: dialect.ErrConnectionLost,       // ER_CONNECTION_KILLED
	1969: dialect.ErrQueryCanceled,        // ER_STATEMENT_TIMEOUT
	3058: dialect.ErrDeadlock,             // ER_USER_LOCK_DEADLOCK
	4025: dialect.ErrCheckViolation,       // ER_CONSTRAINT_FAILED
}

// tidbKinds are TiDB's own, beside those of MySQL ("Error Codes and Troubleshooting").
// Its COMMIT alone finds most conflicts where tidb_txn_mode is optimistic.
var tidbKinds = map[uint16]error{
	8002: dialect.ErrSerializationFailure, // ErrForUpdateCantRetry
	8005: dialect.ErrSerializationFailure, // ErrWriteConflictInTiDB
	8022: dialect.ErrSerializationFailure, // ErrTxnRetryable: rolled back
	8028: dialect.ErrSerializationFailure, // ErrInfoSchemaChanged: a table has changed meanwhile
	9007: dialect.ErrSerializationFailure, // ErrWriteConflict
	8004: dialect.ErrTooLarge,             // ErrTxnTooLarge
}

// fatal are the errors that end the whole transaction, besides those of the
// kinds deadlock, serialization failure and connection lost.
var fatal = map[uint16]bool{
	1153: true, // ER_NET_PACKET_TOO_LARGE
	1180: true, // ER_ERROR_DURING_COMMIT
	1206: true, // ER_LOCK_TABLE_FULL: InnoDB rolls the transaction back
	1402: true, // ER_XA_RBROLLBACK
	1613: true, // ER_XA_RBTIMEOUT
}

// uncompared are the errors of a server that finds, before it runs a statement, that
// a text has characters which the column beside it has not: ER_CANT_AGGREGATE_2COLLATIONS
// and its like, and ER_CANNOT_CONVERT_STRING.
var uncompared = []string{"1267", "1270", "1271", "3854"}

// Uncompared implements backend.Comparer.
func (e *engine) Uncompared(code string) bool { return slices.Contains(uncompared, code) }

// DrainsBlindly implements backend.Drainer.
func (e *engine) DrainsBlindly() {}

// Classify implements backend.Engine.
func (e *engine) Classify(err error) *dialect.Error {
	if err == nil {
		return nil
	}
	c := &dialect.Error{Engine: e.server.Engine, Err: err}
	var refused *godriver.MySQLError
	switch {
	case errors.As(err, &refused):
		e.classifyRefusal(c, refused)
	case lostConnection(err):
		c.Kind, c.Fatal = dialect.ErrConnectionLost, true
		c.Message = connectionMessage(err)
	case errors.Is(err, errTooLarge), errors.Is(err, godriver.ErrPktTooLarge):
		c.Kind, c.Message = dialect.ErrTooLarge, errTooLarge.Error()
	default:
		c.Message = driverMessage(err)
	}
	return c
}

func (e *engine) classifyRefusal(c *dialect.Error, refused *godriver.MySQLError) {
	c.Code = strconv.Itoa(int(refused.Number))
	c.Message = message(refused)
	c.Kind = kinds[refused.Number]
	own := mysqlKinds
	if e.server.Engine == dialect.MariaDB {
		own = mariadbKinds
	}
	if kind, ok := own[refused.Number]; ok {
		c.Kind = kind
	}
	if kind, ok := tidbKinds[refused.Number]; ok && e.server.Product == "TiDB" {
		c.Kind = kind
	}
	switch {
	case serverReadOnly(refused):
		c.Kind = dialect.ErrReadOnly
	case lockDeadlock(refused):
		c.Kind = dialect.ErrDeadlock
	case writeSetTooLarge(refused):
		c.Kind = dialect.ErrTooLarge
	case stopsServer(refused):
		c.Kind = dialect.ErrConnectionLost
	case notPrepared(refused):
		c.Kind, c.NotSent = dialect.ErrConnectionLost, true
	}
	c.Constraint, c.Columns = e.violated(refused, c.Kind)
	switch c.Kind {
	case dialect.ErrDeadlock, dialect.ErrSerializationFailure, dialect.ErrConnectionLost:
		c.Fatal = true
	}
	switch {
	case fatal[refused.Number]:
		c.Fatal = true
	case refused.Number == 1205:
		c.Fatal = e.server.RollbackOnTimeout
	case savepointGone(refused):
		c.Fatal = true
		if ended := (*backend.EndedError)(nil); !errors.As(c.Err, &ended) {
			c.Err = &backend.EndedError{Err: c.Err}
		}
		c.Message = "the transaction has ended, and its savepoints with it: a statement in it has committed or rolled back (" + c.Message + ")"
	}
}

// savepointGone reports whether a savepoint of ours does not exist (1305,
// ER_SP_DOES_NOT_EXIST: the same number as for a procedure).
func savepointGone(refused *godriver.MySQLError) bool {
	return refused.Number == 1305 && strings.Contains(refused.Message, " hf_") && strings.Contains(refused.Message, "SAVEPOINT")
}

// serverReadOnly reports whether the whole server is read-only. 1290,
// ER_OPTION_PREVENTS_STATEMENT, is about other options, too.
func serverReadOnly(refused *godriver.MySQLError) bool {
	return refused.Number == 1836 || refused.Number == 1290 &&
		(strings.Contains(refused.Message, "read-only") || strings.Contains(refused.Message, "read_only"))
}

// lostConnection reports whether err is of the driver or the network. The
// driver closes its connection when a ctx ends, and returns the ctx's error.
func lostConnection(err error) bool {
	var network net.Error
	for _, lost := range []error{
		dialect.ErrConnectionLost, godriver.ErrInvalidConn, godriver.ErrMalformPkt, godriver.ErrPktSync,
		godriver.ErrPktSyncMul, godriver.ErrBusyBuffer, driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF,
		io.ErrShortWrite, net.ErrClosed,
	} {
		if errors.Is(err, lost) {
			return true
		}
	}
	if ended(err) {
		var unsent *backend.NotSentError
		return !errors.As(err, &unsent)
	}
	return errors.As(err, &network)
}

func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
