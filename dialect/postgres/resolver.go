package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// CommitsTable creates the table that ResolveCommit writes its marks to: one
// row for each transaction that asked for it. A row with a time belongs to a
// transaction that committed; one without was put there to keep a transaction
// from committing any more. Rows older than the longest that anybody waits for
// an outcome can be deleted.
//
// The table is not needed as long as the server stays the same. After a
// failover, a crash, or a backup that was restored, only the table can tell: without
// it the outcome stays unknown (ErrCommitUnknown). The role of the application
// needs INSERT and SELECT on it, and its search_path has to lead to it.
const CommitsTable = "CREATE TABLE IF NOT EXISTS holdfast_commits (" +
	"id text NOT NULL PRIMARY KEY, " +
	"committed_at timestamptz NULL)"

// resolver finds out the fate of a transaction in one of two ways.
//
// Its number says it on the server that gave the number
// (https://www.postgresql.org/docs/current/functions-info.html, pg_xact_status).
// On another history of the database the same number is somebody else's: a
// standby that is promoted counts on from the last transaction that it has
// received, and so does a backup that is restored. So does the server itself
// after a crash, from the last transaction of which its log has reached the disk.
//
// A mark that the transaction has written is there if and only if the
// transaction is, on every history.
type resolver struct{ engine *engine }

// history names what a transaction's number belongs to: the database cluster,
// the timeline, of which each promotion and each recovery to a point in time
// begins another, the time since which there was no crash, and the start of the
// server. The timeline of pg_control_checkpoint() would lag behind a promotion.
// The start of the server is no sign of a crash: where one session is killed, by
// the kernel that is out of memory for example, the server ends all others and
// recovers without being started anew. But its statistics, which outlive an orderly
// restart, begin again with each recovery from a crash
// (https://www.postgresql.org/docs/current/monitoring-stats.html). Every role may
// ask for all of it; during recovery it is an error.
const history = `coalesce((SELECT system_identifier FROM pg_control_system())
	|| '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
	|| '/' || (SELECT (extract(epoch FROM stats_reset) * 1000000)::bigint FROM pg_stat_bgwriter)
	|| '/' || (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint, '')`

// table is where marks go, or NULL. A table that does not outlive a crash, or
// the session, would tell lies.
const table = `(SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.oid = to_regclass('holdfast_commits') AND c.relpersistence = 'p' AND c.relkind IN ('r', 'p')
	AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'SELECT'))`

// token names a transaction.
type token struct {
	number  string // pg_current_xact_id
	history string // "" if the server does not tell
	mark    string // "" without a table
	table   string // where the mark is
}

func (t token) String() string {
	return strings.Join([]string{t.number, t.history, t.mark, t.table}, " ")
}

func parseToken(s string) (t token) {
	parts := append(strings.SplitN(s, " ", 4), "", "", "")
	return token{parts[0], parts[1], parts[2], parts[3]}
}

// Prepare implements backend.Resolver. A transaction gets a number when it
// first writes, or here: NOTIFY asks for one as late as in COMMIT, and a write to a
// foreign table, or by dblink, for none. Such a one needs no mark, which would have to
// reach the disk. The question is a statement like any other: what undoes a part that
// has failed goes in front of it, without which the server would not answer.
func (r resolver) Prepare(ctx context.Context, w backend.Wire, before []string) (name string, prefix []string, err error) {
	if !r.engine.server.Can(dialect.CommitStatus) {
		return "", nil, &dialect.UnsupportedError{Server: r.engine.server, Feature: "ResolveCommit"}
	}
	answer, err := askAfter(ctx, w, before, `SELECT CASE WHEN pg_is_in_recovery() THEN ''
		WHEN pg_current_xact_id_if_assigned() IS NULL THEN concat_ws(' ', pg_current_xact_id(), `+r.history()+`, '')
		ELSE concat_ws(' ', pg_current_xact_id(), `+r.history()+`, coalesce(`+table+`, '')) END`)
	if err != nil || answer == "" {
		return "", nil, err
	}
	parts := strings.SplitN(answer, " ", 3)
	if len(parts) != 3 {
		return "", nil, fmt.Errorf("the server answered %q when it was asked for the transaction's number", answer)
	}
	t := token{number: parts[0], history: parts[1], table: parts[2]}
	if t.table == "" {
		return t.String(), nil, nil
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", nil, err
	}
	t.mark = hex.EncodeToString(id[:]) // ours, and so may stand in the text
	return t.String(), []string{"INSERT INTO " + t.table + " (id, committed_at) VALUES ('" + t.mark + "', clock_timestamp())"}, nil
}

// history is what to ask this server for.
func (r resolver) history() string {
	if r.engine.untold {
		return "''"
	}
	return history
}

const (
	pollFirst = 5 * time.Millisecond
	pollLast  = 250 * time.Millisecond
	// patience is how long a COMMIT may be on its way before the session that
	// nobody listens to any more is ended.
	patience = 2 * time.Second
)

// Outcome implements backend.Resolver.
func (r resolver) Outcome(ctx context.Context, w backend.Wire, name string) (committed bool, err error) {
	asked := []backend.Asked{{Token: name, Since: time.Now()}}
	for wait := pollFirst; ; wait = min(2*wait, pollLast) {
		fates, err := r.Fates(ctx, w, asked)
		if err != nil {
			return false, err
		}
		if fates[0].Known {
			return fates[0].Committed, fates[0].Err
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

// Fates implements backend.BulkResolver. It needs a server that takes writes.
//
// A transaction stays in progress for as long as its session does not know
// that its client is gone, which takes hours on a network that loses packets. So
// after a while that session is ended, found by the transaction's number. It may
// commit until that very moment: the answer is read afterwards.
func (r resolver) Fates(ctx context.Context, w backend.Wire, asked []backend.Asked) ([]backend.Fate, error) {
	fates := make([]backend.Fate, len(asked))
	tokens := make([]token, len(asked))
	numbers := make([]string, len(asked))
	for i, a := range asked {
		tokens[i] = parseToken(a.Token)
		numbers[i] = tokens[i].number + " " + timeline(tokens[i].history)
	}
	// A number from another history may not have been given yet, which would be
	// an error.
	answer, err := ask(ctx, w, `WITH own AS MATERIALIZED (SELECT `+r.history()+` AS history)
		SELECT own.history || ',' || string_agg(
			CASE WHEN split_part(t, ' ', 2) = left(own.history, length(own.history) - position('/' IN reverse(own.history)))
			THEN coalesce(pg_xact_status(split_part(t, ' ', 1)::xid8), 'forgotten') ELSE 'elsewhere' END, ',' ORDER BY i)
		FROM own, unnest(string_to_array($1::text, ',')) WITH ORDINALITY AS asked (t, i) GROUP BY own.history`,
		strings.Join(numbers, ","))
	if err != nil {
		return fates, err
	}
	here, rest, _ := strings.Cut(answer, ",")
	statuses := strings.Split(rest, ",")
	if len(statuses) != len(asked) {
		return fates, fmt.Errorf("the server answered %q when it was asked for %d transactions", answer, len(asked))
	}
	var errs []error
	committed := false
	for i, t := range tokens {
		fates[i], err = r.decide(ctx, w, t, here, statuses[i])
		if err != nil {
			errs = append(errs, err)
			if !w.Idle() {
				break
			}
		}
		committed = committed || fates[i].Committed
		if statuses[i] == "in progress" && t.isOf(here) && time.Since(asked[i].Since) > patience {
			// backend_xid has no epoch: it is the lower half of the number. A role
			// that may not end the session can still wait for it.
			_, _ = ask(ctx, w, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE backend_xid::text::bigint = $1::text::bigint % 4294967296 AND datname = current_database()`, t.number)
		}
	}
	if !committed {
		return fates, errors.Join(errs...)
	}
	if err := confirm(ctx, w); err != nil {
		for i := range fates {
			if fates[i].Committed {
				fates[i] = backend.Fate{}
			}
		}
		errs = append(errs, fmt.Errorf("the server has committed it, but whether a standby has it is not known: %w", err))
	}
	return fates, errors.Join(errs...)
}

// isOf reports whether the transaction is one of the server, and of the start of
// the server, that says here.
func (t token) isOf(here string) bool { return t.history != "" && t.history == here }

// decide takes the number's word where it counts, and looks for the mark elsewhere.
func (r resolver) decide(ctx context.Context, w backend.Wire, t token, here, status string) (backend.Fate, error) {
	switch {
	case t.history == "" && t.mark == "":
		status = "elsewhere"
	case t.history == "" && status == "in progress": // the mark would have to wait for it
		return backend.Fate{}, nil
	case t.mark != "" && (!t.isOf(here) || status == "forgotten"):
		return fence(ctx, w, t, here)
	}
	switch status {
	case "committed":
		return backend.Fate{Known: true, Committed: true}, nil
	case "aborted":
		return backend.Fate{Known: true}, nil
	case "in progress":
		return backend.Fate{}, nil
	case "forgotten":
		return unresolvable("the transaction is so old that the server has forgotten what became of it"), nil
	case "elsewhere":
		return unresolvable("the server has crashed, a standby was promoted, a backup restored, or the server does not tell: the transaction may not be there, and its number be another's; in the table of postgres.CommitsTable it would be found"), nil
	}
	return backend.Fate{}, fmt.Errorf("pg_xact_status answered %q", status)
}

func unresolvable(reason string) backend.Fate {
	return backend.Fate{Known: true, Err: &backend.UnresolvableError{Reason: reason}}
}

// fence looks for the mark by trying to write it, without a time: if it can be
// written, the transaction is not there, and can no longer get there.
func fence(ctx context.Context, w backend.Wire, t token, here string) (fate backend.Fate, err error) {
	_, err = w.Exec(ctx, nil, "INSERT INTO "+t.table+" (id, committed_at) VALUES ($1::text, NULL) ON CONFLICT (id) DO NOTHING", []any{t.mark})
	if err != nil {
		return fate, err
	}
	answer, err := ask(ctx, w, "SELECT CASE WHEN committed_at IS NULL THEN 'not there' ELSE 'there' END FROM "+t.table+" WHERE id = $1::text", t.mark)
	switch {
	case err != nil:
		return fate, err
	case answer == "there":
		return backend.Fate{Known: true, Committed: true}, nil
	case cluster(t.history) != cluster(here):
		// A copy that was made statement by statement may have left the marks out.
		return unresolvable("the transaction's mark is not on the server that answers now, which is not a physical copy of the one before"), nil
	}
	return backend.Fate{Known: true}, nil
}

// confirm waits until a write of this session's own has been replicated as far
// as synchronous_commit asks for. All that was committed before it has been as
// well by then. The session that had waited for that may have been told to stop
// waiting, which is no guarantee of anything.
func confirm(ctx context.Context, w backend.Wire) error {
	_, err := ask(ctx, w, confirmation)
	return err
}

// confirmation is that write: a transaction that has only a number, and has written
// nothing, would not wait.
const confirmation = `SELECT pg_logical_emit_message(true, 'holdfast', '')::text`

// timeline is a history without the server's start: numbers keep their meaning
// when it is restarted in order.
func timeline(history string) string {
	if i := strings.LastIndexByte(history, '/'); i >= 0 {
		return history[:i]
	}
	return history
}

// cluster is the database cluster of a history.
func cluster(history string) string {
	id, _, _ := strings.Cut(history, "/")
	return id
}
