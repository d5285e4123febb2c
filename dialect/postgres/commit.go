package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// Commit implements backend.Wire. When its limit runs out the connection is
// hung up, and nothing else.
func (w *wire) Commit(ctx context.Context, prefix []string) error {
	return w.commit(ctx, prefix, nil)
}

// CommitWith implements backend.CommitCarrier.
func (w *wire) CommitWith(ctx context.Context, prefix []string, query string, args []any) error {
	return w.commit(ctx, prefix, &carried{query, args})
}

// carried is a statement that travels with COMMIT.
type carried struct {
	text string
	args []any // each a []byte
}

func (w *wire) commit(ctx context.Context, prefix []string, last *carried) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	if w.gone() {
		return &backend.EndedError{Err: &backend.NotSentError{Err: errors.New("COMMIT was not sent")}}
	}
	if w.conn.TxStatus() == 'I' && (len(prefix) == 0 || !begins(prefix[0])) {
		// The server would only warn, and answer as if it had committed something.
		return &backend.NotSentError{Err: errors.New("there is no transaction to commit on this connection")}
	}
	w.takeKey()
	defer w.giveKey()
	tag, err := w.sendCommit(ctx, prefix, last)
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Code == idleInTransaction:
		// It has ended the transaction before it looked at COMMIT.
		return fmt.Errorf("%w: %w", backend.ErrCommitRefused, err)
	case lostBehind(err):
		return &backend.UncertainError{Err: err}
	case err != nil:
		return err
	case w.unreplicated:
		return errUnreplicated
	case tag.String() == "COMMIT":
		return nil
	case tag.String() == "ROLLBACK":
		return backend.ErrCommitRefused
	}
	return fmt.Errorf("the server answered COMMIT with %q", tag)
}

// lostBehind reports whether a pooler has answered COMMIT for its server, which it
// has lost (class 08, connection exception: Odyssey says 08006 and keeps our
// connection). What the server made of it, the pooler does not know either.
func lostBehind(err error) bool {
	var before *backend.PrefixError
	var answer *pgconn.PgError
	return !errors.As(err, &before) && errors.As(err, &answer) && strings.HasPrefix(answer.Code, "08")
}

// idleInTransaction is idle_in_transaction_session_timeout. The other reasons for
// which a server ends a session may meet one that has committed.
const idleInTransaction = "25P03"

func (w *wire) sendCommit(ctx context.Context, prefix []string, last *carried) (tag pgconn.CommandTag, err error) {
	if w.alone {
		if last != nil {
			if _, err := w.Exec(ctx, prefix, last.text, last.args); err != nil {
				return tag, &backend.PrefixError{Statement: last.text, Err: err}
			}
			prefix = nil
		}
		return w.commitAlone(ctx, prefix)
	}
	x := w.start(ctx)
	x.queueControl(prefix...)
	if last != nil {
		x.queueCarried(last)
	}
	before := len(x.control)
	x.queueControl("COMMIT")
	if w.tells {
		x.queueControl(here)
	}
	if err := x.flush(); err != nil {
		return tag, err
	}
	if err := x.readPrefix(before); err != nil {
		x.inside = false
		return tag, x.finish(nil, err)
	}
	w.begun, x.inside = false, false
	if tag, err = x.readControl(); err != nil {
		return tag, x.finish(nil, err)
	}
	// The server has answered. What can still go wrong is the connection's own end.
	if w.tells {
		w.position, _ = x.readText()
	}
	_ = x.finish(nil, nil)
	return tag, nil
}

// takeKey keeps the driver from asking the server to cancel a COMMIT, which it
// does whenever it gives a connection up. A COMMIT that waits for a synchronous
// standby would stop waiting and be committed without it (PostgreSQL manual,
// "Synchronous Replication"). The server takes a request without the key that
// it has given for nobody's.
func (w *wire) takeKey() {
	key := w.conn.SecretKey()
	w.key = append(w.key[:0], key...)
	clear(key)
}

// giveKey ends what takeKey began.
func (w *wire) giveKey() {
	if w.conn.IsClosed() {
		_ = w.conn.Conn().Close() // at once, and not when the driver has taken its leave
		return
	}
	copy(w.conn.SecretKey(), w.key)
}

// errUnreplicated is a COMMIT, or an autocommitted statement, that is committed
// on this server alone although it was to wait for a standby.
var errUnreplicated error = unreplicated{}

type unreplicated struct{}

func (unreplicated) Error() string {
	return "the server has committed it, but was told to stop waiting for its synchronous standby: a failover may lose it"
}
func (unreplicated) Is(target error) bool { return target == dialect.ErrConnectionLost }

// noticed sees what the server says beside its answers.
func noticed(c *pgconn.PgConn, n *pgconn.Notice) {
	if w, ok := c.CustomData()[keep].(*wire); ok && stopsWaiting(n) {
		w.unreplicated = true
	}
}

// stopsWaiting reports whether n says that a commit has not waited for its
// standby to the end (src/backend/replication/syncrep.c). The message may be in
// any language.
func stopsWaiting(n *pgconn.Notice) bool {
	return n.Routine == "SyncRepWaitForLSN" || strings.HasPrefix(n.Message, "canceling wait for synchronous replication")
}

// tells reports whether a session with this client_min_messages hears of it.
func tells(level string) bool {
	return !slices.Contains([]string{"error", "fatal", "panic"}, level)
}
