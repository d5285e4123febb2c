package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/proxy"
)

// TestB12TheFateOfALostCommitIsFound cuts the connection before and after the
// server has committed.
func TestB12TheFateOfALostCommitIsFound(t *testing.T) {
	t.Parallel()
	for action, committed := range map[proxy.Action]bool{proxy.CutRequest: false, proxy.CutReply: true} {
		db := fresh(t, items)
		p := proxy.New(t, db.Addr)
		opened := open(t, db.Via(p.Addr()))
		w := take(t, opened)
		r := opened.Engine.Resolver()

		execAfter(t, w, begin, `INSERT INTO item VALUES (1, 'a')`)
		token, prefix, err := r.Prepare(t.Context(), w)
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

func TestATransactionThatWroteNothingHasNoToken(t *testing.T) {
	t.Parallel()
	opened := open(t, fresh(t).DSN)
	w := take(t, opened)
	execAfter(t, w, begin, `SELECT 1`)
	token, prefix, err := opened.Engine.Resolver().Prepare(t.Context(), w)
	require.NoError(t, err)
	require.Empty(t, token)
	require.Empty(t, prefix)
	require.NoError(t, w.Commit(t.Context(), nil))
}

// A session that does not know that its client is gone keeps its transaction.
func TestOutcomeEndsASessionThatNobodyListensTo(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	opened := open(t, db.DSN)
	w, other := take(t, opened), take(t, opened)
	r := opened.Engine.Resolver()
	execAfter(t, w, begin, `INSERT INTO item VALUES (1, 'a')`)
	token, _, err := r.Prepare(t.Context(), w)
	require.NoError(t, err)

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = r.Outcome(short, other, token)
	require.ErrorIs(t, err, context.DeadlineExceeded, "in progress")

	committed, err := r.Outcome(t.Context(), take(t, opened), token)
	require.NoError(t, err)
	require.False(t, committed)
	eventually(t, db, gone, w.ID())
	require.Error(t, w.Commit(t.Context(), nil))

	_, err = r.Outcome(t.Context(), take(t, opened), "3")
	require.ErrorContains(t, err, "forgotten")
}
