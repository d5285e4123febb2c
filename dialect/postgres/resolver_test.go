package postgres

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
)

// TestB12_TheFateOfALostCommitIsFound cuts the connection before and after the
// server has committed.
func TestB12_TheFateOfALostCommitIsFound(t *testing.T) {
	t.Parallel()
	for action, committed := range map[proxy.Action]bool{proxy.CutRequest: false, proxy.CutReply: true} {
		db := fresh(t, items)
		p := proxy.New(t, db.Addr)
		opened := open(t, db.Via(p.Addr()))
		w := take(t, opened)
		r := opened.Engine.Resolver()

		execAfter(t, w, begin, `INSERT INTO item VALUES (1, 'a')`)
		token, prefix, err := r.Prepare(t.Context(), w, nil)
		require.NoError(t, err)
		require.NotEmpty(t, token)
		trap := p.On("COMMIT", action)
		require.Error(t, w.Commit(t.Context(), prefix))
		<-trap.Hit()

		got, err := r.Outcome(t.Context(), take(t, opened), token)
		require.NoError(t, err)
		require.Equal(t, committed, got)
		var n int
		require.NoError(t, db.Admin.QueryRow(`SELECT count(*) FROM item`).Scan(&n))
		require.Equal(t, committed, n == 1)
	}
}

// Nobody can tell whether a transaction that has no number yet has written: it may
// have called pg_notify. It has a token, which tells, but no mark.
func TestATransactionWithoutANumberHasATokenAndNoMark(t *testing.T) {
	t.Parallel()
	opened := open(t, fresh(t, CommitsTable).DSN)
	for _, text := range []string{`SELECT 1`, `SELECT pg_notify('somebody', '')`} {
		for _, commits := range []bool{true, false} {
			w := take(t, opened)
			execAfter(t, w, begin, text)
			token, prefix, err := opened.Engine.Resolver().Prepare(t.Context(), w, nil)
			require.NoError(t, err)
			require.Empty(t, prefix)
			if commits {
				require.NoError(t, w.Commit(t.Context(), nil))
			} else {
				require.NoError(t, w.Rollback(t.Context(), nil))
			}
			done, err := opened.Engine.Resolver().Outcome(t.Context(), take(t, opened), token)
			require.NoError(t, err)
			require.Equal(t, commits, done)
		}
	}
}

// A session that does not know that its client is gone keeps its transaction.
func TestOutcomeEndsASessionThatNobodyListensTo(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	opened := open(t, db.DSN)
	w, other := take(t, opened), take(t, opened)
	r := opened.Engine.Resolver()
	execAfter(t, w, begin, `INSERT INTO item VALUES (1, 'a')`)
	name, _, err := r.Prepare(t.Context(), w, nil)
	require.NoError(t, err)

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = r.Outcome(short, other, name)
	require.ErrorIs(t, err, context.DeadlineExceeded, "in progress")

	committed, err := r.Outcome(t.Context(), take(t, opened), name)
	require.NoError(t, err)
	require.False(t, committed)
	eventually(t, db, gone, w.ID())
	require.Error(t, w.Commit(t.Context(), nil))

	_, err = r.Outcome(t.Context(), take(t, opened), token{number: "3", history: parseToken(name).history}.String())
	require.ErrorContains(t, err, "forgotten")
}

// TestB12_ANumberMeansNothingOnAnotherHistory asks for transactions whose tokens
// are from another start of the server, from before a crash, from another timeline,
// and from another cluster.
func TestB12_ANumberMeansNothingOnAnotherHistory(t *testing.T) {
	t.Parallel()
	for _, marked := range []bool{false, true} {
		db := fresh(t, items)
		if marked {
			_, err := db.Admin.ExecContext(t.Context(), CommitsTable)
			require.NoError(t, err)
		}
		opened := open(t, db.DSN)
		r := opened.Engine.Resolver().(resolver)
		for what, c := range map[string]struct {
			other     func(token) token
			certain   bool // without the table
			told      bool // with it
			committed bool
		}{
			"the same, committed":            {func(t token) token { return t }, true, true, true},
			"the same, rolled back":          {func(t token) token { return t }, true, true, false},
			"restarted, committed":           {restarted, true, true, true},
			"restarted, rolled back":         {restarted, true, true, false},
			"crashed, it is there":           {crashed, false, true, true},
			"crashed, it is lost":            {crashed, false, true, false},
			"promoted, it had arrived":       {promoted, false, true, true},
			"promoted, it had not":           {promoted, false, true, false},
			"another cluster, it was copied": {copied, false, true, true},
			"another cluster, it was not":    {copied, false, false, false},
		} {
			t.Run(what, func(t *testing.T) {
				w := take(t, opened)
				execAfter(t, w, begin, `DELETE FROM item`)
				exec(t, w, `INSERT INTO item VALUES (1, 'a')`)
				name, prefix, err := r.Prepare(t.Context(), w, nil)
				require.NoError(t, err)
				require.Equal(t, marked, len(prefix) == 1)
				if c.committed {
					require.NoError(t, w.Commit(t.Context(), prefix))
				} else {
					require.NoError(t, w.Rollback(t.Context(), nil))
				}
				for range 2 { // and the answer stays
					got, err := r.Outcome(t.Context(), take(t, opened), c.other(parseToken(name)).String())
					if !marked && !c.certain || marked && !c.told {
						require.ErrorAs(t, err, new(*backend.UnresolvableError))
						continue
					}
					require.NoError(t, err)
					require.Equal(t, c.committed, got)
				}
			})
		}
	}
}

func restarted(t token) token { t.history = timeline(t.history) + "/1"; return t }

// crashed is a number of before a crash, which has not ended the server.
func crashed(t token) token {
	parts := strings.Split(t.history, "/")
	parts[2] = "1"
	t.history = strings.Join(parts, "/")
	return t
}

// promoted is a number that the server has given to somebody else, who committed.
func promoted(t token) token {
	t.history = cluster(t.history) + "/0000000F/1/1"
	return t
}
func copied(t token) token { t.history = "1/00000001/1/1"; return t }

// A mark that is not there will not come any more: what is late is refused.
func TestB12_AFencedTransactionCannotCommit(t *testing.T) {
	t.Parallel()
	db := fresh(t, items, CommitsTable)
	opened := open(t, db.DSN)
	w, r := take(t, opened), opened.Engine.Resolver()
	execAfter(t, w, begin, `INSERT INTO item VALUES (1, 'a')`)
	name, prefix, err := r.Prepare(t.Context(), w, nil)
	require.NoError(t, err)
	committed, err := r.Outcome(t.Context(), take(t, opened), promoted(parseToken(name)).String())
	require.NoError(t, err)
	require.False(t, committed)
	require.ErrorIs(t, backend.Classify(opened, w.Commit(t.Context(), prefix)), dialect.ErrUniqueViolation)
	require.True(t, w.Idle() || w.Rollback(t.Context(), nil) == nil)
	eventually(t, db, `SELECT count(*) = 0 FROM item`)
}

// The table has to be one that a mark in it can be trusted.
func TestB12_AMarkGoesIntoATableThatLasts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		create []string
		marked bool
	}{
		{[]string{CommitsTable}, true},
		{[]string{`CREATE SCHEMA "a b"`, `CREATE TABLE "a b".holdfast_commits (id text PRIMARY KEY, committed_at timestamptz)`, `ALTER ROLE CURRENT_USER IN DATABASE %s SET search_path = "a b", public`}, true},
		{[]string{`CREATE UNLOGGED TABLE holdfast_commits (id text PRIMARY KEY, committed_at timestamptz)`}, false},
		{[]string{`CREATE VIEW holdfast_commits AS SELECT ''::text AS id, now() AS committed_at`}, false},
		{nil, false},
	} {
		db := fresh(t, items)
		for _, s := range c.create {
			s = strings.ReplaceAll(s, "%s", db.Name)
			_, err := db.Admin.ExecContext(t.Context(), s)
			require.NoError(t, err, s)
		}
		opened := open(t, db.DSN)
		w, r := take(t, opened), opened.Engine.Resolver()
		exec(t, w, `CREATE TEMP TABLE other (id int)`)
		execAfter(t, w, begin, `INSERT INTO public.item VALUES (1, 'a')`)
		name, prefix, err := r.Prepare(t.Context(), w, nil)
		require.NoError(t, err)
		require.Equal(t, c.marked, len(prefix) == 1, c.create)
		require.NoError(t, w.Commit(t.Context(), prefix))
		committed, err := r.Outcome(t.Context(), take(t, opened), promoted(parseToken(name)).String())
		require.Equal(t, c.marked, committed)
		require.Equal(t, c.marked, err == nil)
	}
}
