package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
)

func TestB01_CommitIsAcknowledgedOrRefused(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		w := take(t, open(t, fresh(t, items, `CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)`).DSN, opts...))
		ctx := t.Context()
		for range 2 {
			execAfter(t, w, begin, `INSERT INTO item VALUES (1, 'a')`)
			require.NoError(t, w.Commit(ctx, nil))
			require.True(t, w.Idle())

			execAfter(t, w, begin, `DELETE FROM item`)
			_, err := w.Exec(ctx, nil, `INSERT INTO nowhere VALUES (1)`, nil)
			require.Error(t, err)
			require.ErrorIs(t, w.Commit(ctx, nil), backend.ErrCommitRefused)
			require.True(t, w.Idle())
			require.EqualValues(t, 1, exec(t, w, `DELETE FROM item`))
		}
	})
}

func TestB25_ADeferredConstraintFailsTheCommit(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		db := open(t, fresh(t, `CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)`).DSN, opts...)
		w := take(t, db)
		execAfter(t, w, begin, `INSERT INTO late VALUES (1), (1)`)
		err := w.Commit(t.Context(), nil)
		require.ErrorIs(t, db.Engine.Classify(err), dialect.ErrUniqueViolation)
		require.True(t, w.Idle())

		// Outside a transaction it fails the statement, behind its rows.
		require.Error(t, fails(w.Exec(t.Context(), nil, `INSERT INTO late VALUES (1), (1)`, nil)))
		rows, err := w.Query(t.Context(), nil, `INSERT INTO late SELECT 1 FROM generate_series(1, 2000) RETURNING id`, nil)
		require.NoError(t, err)
		all, err := readAll(rows)
		require.ErrorIs(t, db.Engine.Classify(err), dialect.ErrUniqueViolation)
		require.Len(t, all, 2000)
		require.EqualValues(t, 0, one(t, w, `SELECT count(*) FROM late`))
	})
}

// TestB12_ALostCommitIsNeitherSuccessNorRefusal cuts the connection around COMMIT.
func TestB12_ALostCommitIsNeitherSuccessNorRefusal(t *testing.T) {
	t.Parallel()
	for action, arrived := range map[proxy.Action]bool{proxy.CutRequest: false, proxy.CutReply: true} {
		for _, prefix := range [][]string{nil, {"RELEASE SAVEPOINT hf_1"}} {
			db := fresh(t, items)
			p := proxy.New(t, db.Addr)
			opened := open(t, db.Via(p.Addr()))
			w := take(t, opened)
			execAfter(t, w, begin, `SELECT 1`)
			require.NoError(t, w.Commit(t.Context(), nil)) // COMMIT is prepared from now on

			execAfter(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, `INSERT INTO item VALUES (1, 'a')`)
			trap := p.On("COMMIT", action)
			err := w.Commit(t.Context(), prefix)
			<-trap.Hit()
			require.Error(t, err)
			require.NotErrorIs(t, err, backend.ErrCommitRefused)
			require.ErrorIs(t, backend.Classify(opened, err), dialect.ErrConnectionLost)
			require.False(t, w.Alive())
			require.False(t, w.Idle())
			eventually(t, db, `SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)`, w.ID())
			eventually(t, db, `SELECT (count(*) = 1) = $1 FROM item`, arrived)
		}
	}
}

func TestRollbackSendsWhatFollows(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		w := take(t, open(t, fresh(t, items).DSN, opts...))
		execAfter(t, w, begin, `INSERT INTO item VALUES (1, 'a')`)
		require.NoError(t, w.Rollback(t.Context(), []string{"SELECT set_config('holdfast.note', 'after', false)"}))
		require.True(t, w.Idle())
		require.Equal(t, "after", one(t, w, `SHOW holdfast.note`))
		require.EqualValues(t, 0, one(t, w, `SELECT count(*) FROM item`))

		var refused *pgconn.PgError
		require.ErrorAs(t, w.Rollback(t.Context(), []string{"NONSENSE"}), &refused)
		require.True(t, w.Idle())
	})
}

// A server that has ended the session because its transaction idled has rolled it
// back: what COMMIT finds then is an answer.
func TestB12_ALimitOnIdlingIsARollback(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		db := fresh(t, items)
		opened := open(t, db.DSN, opts...)
		w := take(t, opened)
		execAfter(t, w, []string{"BEGIN"}, `INSERT INTO item VALUES (1, 'a')`)
		exec(t, w, "SET LOCAL idle_in_transaction_session_timeout = 250")
		eventually(t, db, gone, w.ID())
		err := w.Commit(t.Context(), nil)
		require.ErrorIs(t, err, backend.ErrCommitRefused)
		require.ErrorIs(t, backend.Classify(opened, err), dialect.ErrConnectionLost)
	})
}

// A session that hears no warnings would not hear that COMMIT has not waited for
// its standby.
func TestB01_ASessionThatHearsNothingHearsOfCommit(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	for options, heard := range map[string]bool{"": true, "&options=-c%20client_min_messages%3Derror": false, "&options=-c%20client_min_messages%3Dwarning": true} {
		opened := open(t, db.DSN+options)
		c, err := opened.Engine.Begin(backend.TxOptions{})
		require.NoError(t, err)
		require.Equal(t, heard, len(c.Inside) == 0, options)
		w := take(t, opened)
		execAfter(t, w, append([]string{c.Begin}, c.Inside...), `SELECT 1`)
		require.NotEqual(t, "error", one(t, w, `SHOW client_min_messages`))
		require.NoError(t, w.Commit(t.Context(), nil))
	}
}
