package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// Errors by which a cluster answers, or a server that cannot go on.
const (
	errorDuringCommit = 1180 // ER_ERROR_DURING_COMMIT
	noBinaryLog       = 1598 // ER_BINLOG_LOGGING_IMPOSSIBLE
	hookFailed        = 3100 // ER_RUN_HOOK_ERROR: Group Replication
	rolledBackAtEnd   = 3101 // ER_TRANSACTION_ROLLBACK_DURING_COMMIT
	unknownCommand    = 1047 // ER_UNKNOWN_COM_ERROR: Galera
	packetTooLarge    = 1153 // ER_NET_PACKET_TOO_LARGE
)

// lockDeadlock reports whether a certification that failed is told as an engine's
// error at COMMIT: Group Replication's "Got error 149 - 'Lock deadlock; Retry
// transaction' during COMMIT". The transaction is rolled back.
func lockDeadlock(refused *godriver.MySQLError) bool {
	return refused.Number == errorDuringCommit && strings.Contains(refused.Message, "error 149")
}

// writeSetTooLarge reports whether Galera takes no transaction of this size
// (wsrep_max_ws_rows, wsrep_max_ws_size). It is rolled back.
func writeSetTooLarge(refused *godriver.MySQLError) bool {
	return refused.Number == errorDuringCommit &&
		(strings.Contains(refused.Message, "wsrep_max_ws") || strings.Contains(refused.Message, "error 90"))
}

// stopsServer reports whether MySQL ends itself because it cannot write its binary log
// (binlog_error_action=ABORT_SERVER, the default). The same number refuses statements
// for whose isolation level the log has no format.
func stopsServer(refused *godriver.MySQLError) bool {
	return refused.Number == noBinaryLog &&
		(strings.Contains(refused.Message, "ABORT_SERVER") || strings.Contains(refused.Message, "Aborting the server"))
}

// notPrepared reports whether a node of a Galera cluster refuses every statement,
// because it is cut off from the others.
func notPrepared(refused *godriver.MySQLError) bool {
	return refused.Number == unknownCommand && strings.Contains(refused.Message, "WSREP")
}

// uncertain marks an answer to COMMIT, or to a statement that commits by itself,
// that does not say what became of it:
//
//   - Galera, 1180 "Error while appending streaming replication fragment (provider
//     status: Not connected to Primary Component)": the node was cut off meanwhile,
//     and may bring it to the others when it finds them again.
//   - Group Replication, 3100: the transaction was too large to be sent, or was sent
//     and the wait for the others interrupted.
//   - MySQL, 1598 of a server that ends itself: "An error occurred during sync stage of
//     the commit" finds the transaction in the log, and the next start commits what is
//     there; a log that could not be followed by another had it, and it is committed
//     (MYSQL_BIN_LOG::ordered_commit).
//   - Vitess, any: one shard may have committed before another has not.
func uncertain(refused *godriver.MySQLError, inParts bool) error {
	switch {
	case inParts, refused.Number == hookFailed, stopsServer(refused),
		refused.Number == errorDuringCommit && !lockDeadlock(refused) && !writeSetTooLarge(refused):
		return &backend.UncertainError{Err: refused}
	}
	return refused
}

// Commit implements backend.Wire.
func (w *wire) Commit(ctx context.Context, prefix []string) error {
	if _, err := w.start(ctx, nil); err != nil {
		return err
	}
	if w.apart && len(prefix) > 0 {
		if err := w.control(ctx, prefix); err != nil {
			return err
		}
		prefix = nil
	}
	w.used = true
	_, err := w.raw.ExecContext(ctx, join(prefix, "COMMIT"), nil)
	return w.committed(prefix, err)
}

// committed makes sense of the driver's error for prefix and COMMIT.
func (w *wire) committed(prefix []string, err error) error {
	if err = w.answered(prefix, "COMMIT", err); err == nil {
		w.begun = false
	}
	return err
}

// CommitWith implements backend.CommitCarrier. The driver refuses to put values into
// a text that is too long for the server: they then go ahead of COMMIT. What it puts
// into the text is read there as any other statement's values are, in a session that a
// routine may have changed.
func (w *wire) CommitWith(ctx context.Context, prefix []string, query string, args []any) error {
	values, err := w.start(ctx, args)
	defer clear(values)
	if err != nil {
		return err
	}
	if !w.apart {
		if prefix, err = w.certain(ctx, prefix, asText, values); err != nil {
			return err
		}
		all := append(slices.Clone(prefix), query)
		w.used = true
		if _, err := w.raw.ExecContext(ctx, join(all, "COMMIT"), values); err != driver.ErrSkip {
			return w.committed(all, err)
		}
	}
	if _, err := w.Exec(ctx, prefix, query, args); err != nil {
		return &backend.PrefixError{Statement: query, Err: err}
	}
	return w.Commit(ctx, nil)
}

// plain is a wire of a driver whose replies cannot be read.
type plain struct {
	backend.Wire
	inParts bool
}

// Commit implements backend.Wire.
func (w plain) Commit(ctx context.Context, prefix []string) error {
	err := w.Wire.Commit(ctx, prefix)
	var refused *godriver.MySQLError
	var control *backend.PrefixError
	if errors.As(err, &refused) && !errors.As(err, &control) {
		return uncertain(refused, w.inParts)
	}
	return err
}
