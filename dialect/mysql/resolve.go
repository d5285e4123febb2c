package mysql

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// CommitsTable creates the table that ResolveCommit writes its marks to: one
// row for each transaction that asked for it. A row with a time belongs to a
// transaction that committed; one without was put there to keep a transaction
// from committing any more. Rows older than the longest that anybody waits for
// an outcome can be deleted.
const CommitsTable = "CREATE TABLE IF NOT EXISTS holdfast_commits (" +
	"id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, " +
	"committed_at DATETIME(6) NULL, " +
	"KEY holdfast_commits_committed_at (committed_at)" +
	") ENGINE=InnoDB"

type resolver struct{ engine *engine }

// Prepare implements backend.Resolver: the mark is written by the transaction
// itself, so that it is there if and only if the transaction committed. The id
// is ours, 32 hexadecimal digits, and so may stand in the text. The token has
// the connection's number, too, and which server that is of, and when.
func (r resolver) Prepare(ctx context.Context, w backend.Wire, before []string) (token string, prefix []string, err error) {
	if err := r.tellsAll(ctx, w); err != nil {
		return "", nil, err
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", nil, err
	}
	mark := hex.EncodeToString(id[:])
	insert := "INSERT INTO holdfast_commits (id, committed_at) VALUES ('" + mark + "', UTC_TIMESTAMP(6))"
	return fmt.Sprint(mark, " ", w.ID(), " ", time.Now().Unix(), " ", nodeOf(w)), append(before, insert), nil
}

// tellsAll refuses a transaction that may be on several shards, which commit one after
// the other: what became of the mark, on one of them, says nothing of the rest. In the
// session's mode SINGLE vtgate keeps all of it on one.
func (r resolver) tellsAll(ctx context.Context, w backend.Wire) error {
	if r.engine.server.Can(dialect.WholeCommit) {
		return nil
	}
	mode, err := one(ctx, w, "SELECT @@transaction_mode")
	if err != nil || strings.EqualFold(backend.Text(mode), "SINGLE") {
		return err
	}
	return &dialect.UnsupportedError{Server: r.engine.server, Feature: "ResolveCommit of a transaction that may be on several shards",
		Hint: "set transaction_mode to SINGLE, in the DSN or on vtgate"}
}

// one reads the one value that a query gives; io.EOF says that there is no row.
func one(ctx context.Context, w backend.Wire, query string, args ...any) (driver.Value, error) {
	rows, err := w.Query(ctx, nil, query, args)
	if err != nil {
		return nil, err
	}
	row := make([]driver.Value, 1)
	err = rows.Next(row)
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	return row[0], err
}

func nodeOf(w backend.Wire) string {
	if w, ok := w.(*wire); ok {
		return w.node
	}
	return ""
}

// patience is how long a transaction may still be in progress before its
// connection, which nobody listens to any more, is ended. Where the network
// swallows packets the server would hold it for hours.
const patience = 2 * time.Second

// again is how long to wait before a cluster is asked again that has refused.
const again = 20 * time.Millisecond

// Outcome implements backend.Resolver. It does not look for the mark but tries
// to write it, without a time:
//
//   - The transaction committed: its row is in the way.
//   - It is in progress and has written its mark: the insert waits for it to end.
//   - It was rolled back: the insert succeeds.
//   - Its mark and COMMIT are still on their way to the server: the insert
//     succeeds, and the row keeps the mark from being written. The COMMIT
//     behind the mark in the same text then never runs.
//
// So what Outcome has found stays true. A look alone would miss the last case.
// Asked again, it finds its own row, which has no time.
func (r resolver) Outcome(ctx context.Context, w backend.Wire, token string) (committed bool, err error) {
	mark, rest, _ := strings.Cut(token, " ")
	connection, rest, _ := strings.Cut(rest, " ")
	since, node, _ := strings.Cut(rest, " ")
	if node == "" || node != nodeOf(w) {
		connection = "" // on another server the number is somebody else's
	}
	wait := r.engine.LockWait(patience)
	if _, err := w.Exec(ctx, wait.Inside, "DO 0", nil); err != nil {
		return false, err
	}
	committed, err = r.fence(ctx, w, mark, connection, since)
	if err != nil {
		return false, err
	}
	_, err = w.Exec(ctx, wait.Restore, "DO 0", nil)
	return committed, err
}

func (r resolver) fence(ctx context.Context, w backend.Wire, mark, connection, since string) (committed bool, err error) {
	wait := time.NewTimer(again)
	defer wait.Stop()
	for {
		_, err := w.Exec(ctx, nil, "INSERT INTO holdfast_commits (id, committed_at) VALUES (?, NULL)", []any{mark})
		var refused *godriver.MySQLError
		switch {
		case err == nil:
			return false, nil
		case !errors.As(err, &refused):
			return false, err
		}
		switch refused.Number {
		case 1062:
			return marked(ctx, w, mark)
		case 1205: // still in progress
			// Every user may end connections of its own. If it cannot be ended,
			// it can still be waited for.
			if id, err := strconv.ParseUint(connection, 10, 32); err == nil && id > 0 && hasRunSince(ctx, w, since) {
				_, _ = w.Exec(ctx, nil, fmt.Sprint("KILL ", id), nil)
			}
		case 1213, rolledBackAtEnd, errorDuringCommit, hookFailed:
			// Nothing is known by that. If the row is there all the same, it will be found.
			wait.Reset(again)
			select {
			case <-wait.C:
			case <-ctx.Done():
			}
		default:
			return false, err
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
	}
}

// hasRunSince reports whether the server has not been started again since then, in seconds
// of our clock: it counts connections from 1 again, and what holds the mark may be a
// transaction that it has found in its log.
func hasRunSince(ctx context.Context, w backend.Wire, since string) bool {
	then, err := strconv.ParseInt(since, 10, 64)
	if err != nil {
		return false
	}
	rows, err := w.Query(ctx, nil, "SHOW GLOBAL STATUS LIKE 'Uptime'", nil)
	if err != nil {
		return false
	}
	row := make([]driver.Value, 2)
	err = errors.Join(rows.Next(row), rows.Close())
	return err == nil && backend.Integer(row[1]) > time.Now().Unix()-then
}

// marked reports whether the row that is there has a time.
func marked(ctx context.Context, w backend.Wire, mark string) (bool, error) {
	timed, err := one(ctx, w, "SELECT committed_at IS NOT NULL FROM holdfast_commits WHERE id = ?", mark)
	if err == io.EOF {
		return false, fmt.Errorf("the mark of transaction %s was deleted from holdfast_commits while it was asked for", mark)
	}
	return err == nil && timed == int64(1), err
}
