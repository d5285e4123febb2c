package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// resolver asks the server for the fate of a transaction by its number
// (https://www.postgresql.org/docs/current/functions-info.html, pg_xact_status).
type resolver struct{ engine *engine }

// Prepare implements backend.Resolver. A transaction gets a number when it
// first writes.
func (r resolver) Prepare(ctx context.Context, w backend.Wire) (token string, prefix []string, err error) {
	if r.engine.server.Product == productCockroachDB {
		return "", nil, &dialect.UnsupportedError{Server: r.engine.server, Feature: "ResolveCommit"}
	}
	token, err = ask(ctx, w, `SELECT pg_current_xact_id_if_assigned()::text`)
	return token, nil, err
}

const (
	pollFirst = 5 * time.Millisecond
	pollLast  = 250 * time.Millisecond
	// patience is how long a COMMIT may be on its way before the session that
	// nobody listens to any more is ended.
	patience = 2 * time.Second
)

// Outcome implements backend.Resolver.
//
// The transaction stays in progress for as long as its session does not know
// that its client is gone, which takes hours on a network that loses packets. So
// after a while that session is ended, found by the transaction's number. It may
// commit until that very moment: the answer is read afterwards.
func (r resolver) Outcome(ctx context.Context, w backend.Wire, token string) (committed bool, err error) {
	started, ended := time.Now(), false
	for wait := pollFirst; ; wait = min(2*wait, pollLast) {
		status, err := ask(ctx, w, `SELECT pg_xact_status($1::text::xid8)`, token)
		if err != nil {
			return false, err
		}
		switch status {
		case "committed":
			return true, nil
		case "aborted":
			return false, nil
		case "":
			return false, errors.New("the transaction is so old that the server has forgotten what became of it")
		case "in progress":
		default:
			return false, fmt.Errorf("pg_xact_status answered %q", status)
		}
		if !ended && time.Since(started) > patience {
			ended = true
			// backend_xid has no epoch: it is the lower half of the number. A role
			// that may not end the session can still wait for it.
			_, _ = ask(ctx, w, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE backend_xid::text::bigint = $1::text::bigint % 4294967296 AND datname = current_database()`, token)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false, context.Cause(ctx)
		}
	}
}
