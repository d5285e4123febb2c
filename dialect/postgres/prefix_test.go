package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
)

const items = `CREATE TABLE item (id int PRIMARY KEY, name text)`

// The ways of sending statements.
var ways = map[string][]Option{
	"one by one": {OneByOne()}, "prepared": nil, "unprepared": {WithoutStatementCache()}}

func eachWay(t *testing.T, test func(t *testing.T, opts ...Option)) {
	for name, opts := range ways {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, opts...) })
	}
}

// Behind pgpool-II a block costs a round trip for each control statement.
func TestRoundTripsOneByOne(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	p := proxy.New(t, db.Addr)
	w := take(t, open(t, db.Via(p.Addr()), OneByOne()))
	for _, want := range []int{5, 4} { // once more for what the connection has not seen
		require.Equal(t, want, p.During(func() {
			execAfter(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, `DELETE FROM item WHERE id = $1`, 1)
			require.NoError(t, w.Commit(t.Context(), nil))
		}).Turns)
	}
}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		if len(opts) > 0 && apply(opts).alone {
			return // above
		}
		db := fresh(t, items)
		p := proxy.New(t, db.Addr)
		w := take(t, open(t, db.Via(p.Addr()), opts...))
		turns := func(want int, what string, f func()) {
			t.Helper()
			assert.Equal(t, want, p.During(f).Turns, what)
		}
		insert := `INSERT INTO item VALUES ($1, $2)`
		read := `SELECT id FROM item WHERE id >= $1`
		prefix := []string{"BEGIN ISOLATION LEVEL SERIALIZABLE", "SET LOCAL lock_timeout = 5000", "SAVEPOINT hf_1", "SAVEPOINT hf_2"}

		turns(2, "a statement never seen", func() { exec(t, w, insert, 1, "a") })
		turns(1, "a statement seen", func() { exec(t, w, insert, 2, "b") })
		turns(1, "behind control statements never seen", func() { execAfter(t, w, prefix, insert, 3, "c") })
		turns(1, "behind one more", func() { execAfter(t, w, []string{"ROLLBACK TO SAVEPOINT hf_2"}, insert, 4, "d") })
		turns(2, "never seen, behind a control statement", func() {
			rows, err := w.Query(t.Context(), []string{"RELEASE SAVEPOINT hf_1"}, read, []any{0})
			drain(t)(rows, err)
		})
		turns(1, "COMMIT behind one", func() {
			require.NoError(t, w.Commit(t.Context(), []string{"SELECT set_config('lock_timeout', '0', true)"}))
		})
		turns(1, "the first statement of a block", func() { execAfter(t, w, prefix, insert, 5, "e") })
		turns(1, "ROLLBACK and what follows it", func() { require.NoError(t, w.Rollback(t.Context(), []string{"SELECT 1", "SELECT 2"})) })
		turns(1, "rows, to their end", func() { drain(t)(w.Query(t.Context(), nil, read, []any{0})) })
		require.EqualValues(t, 3, one(t, w, `SELECT count(*) FROM item`))
	})
}

// TestB04_AnErrorLeavesTheSavepointsOfItsPrefixSet sends statements that fail in
// every way as the first of a nested block.
func TestB04_AnErrorLeavesTheSavepointsOfItsPrefixSet(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		db := fresh(t, items, `INSERT INTO item VALUES (1, 'held')`)
		hold, err := db.Admin.Begin()
		require.NoError(t, err)
		defer func() { _ = hold.Rollback() }()
		_, err = hold.Exec(`SELECT FROM item WHERE id = 1 FOR UPDATE`)
		require.NoError(t, err)

		w := take(t, open(t, db.DSN, opts...))
		ctx := t.Context()
		id := 100
		for _, bad := range []struct {
			query string
			args  []any
			limit []string // goes with the savepoints
		}{
			{query: `SELEC 1`},
			{query: `SELECT * FROM nowhere`},
			{query: `INSERT INTO item VALUES ($1, 'again')`, args: []any{1}},
			{query: `SELECT id FROM item FOR UPDATE NOWAIT`},
			{query: `SELECT $1::int`, args: []any{"no number"}},
			{query: `SELECT $1::int`},
			{query: `SELECT 1 / (n - 3) FROM generate_series(1, 5) n`},
			{query: `SELECT pg_sleep(10)`, limit: []string{"SET LOCAL statement_timeout = 100"}},
		} {
			for range 2 {
				id += 10
				execAfter(t, w, []string{"BEGIN"}, `INSERT INTO item VALUES ($1, 'outer')`, id)
				rows, err := w.Query(ctx, append([]string{"SAVEPOINT hf_1", "SAVEPOINT hf_2"}, bad.limit...), bad.query, bad.args)
				if err == nil {
					_, err = readAll(rows)
				}
				require.Error(t, err, bad.query)
				back := []string{"ROLLBACK TO SAVEPOINT hf_2", "ROLLBACK TO SAVEPOINT hf_1"}
				var unsent *backend.NotSentError
				if errors.As(err, &unsent) {
					require.False(t, unsent.Closed)
					back = nil // the savepoints have not left either
				}
				execAfter(t, w, back, `INSERT INTO item VALUES ($1, 'outer')`, id+1)
				require.NoError(t, w.Commit(ctx, nil), bad.query)
				require.EqualValues(t, 2, one(t, w, `SELECT count(*) FROM item WHERE id BETWEEN $1 AND $2`, id, id+9), bad.query)
			}
		}
	})
}

func TestAPrefixThatIsRefusedStopsTheStatement(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		w := take(t, open(t, fresh(t, items).DSN, opts...))
		insert := `INSERT INTO item VALUES (1, 'a')`
		for range 2 { // never seen, and seen
			_, err := w.Exec(t.Context(), []string{"BEGIN", "SAVEPOINT hf_1", "RELEASE SAVEPOINT gone", "SAVEPOINT hf_2"}, insert, nil)
			var prefix *backend.PrefixError
			require.ErrorAs(t, err, &prefix)
			require.Equal(t, "RELEASE SAVEPOINT gone", prefix.Statement)
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "3B001", refused.Code)
			require.True(t, w.Alive())
			require.False(t, w.Idle())
			require.NoError(t, w.Rollback(t.Context(), nil))
			require.True(t, w.Idle())
			require.EqualValues(t, 0, one(t, w, `SELECT count(*) FROM item`))
			exec(t, w, insert)
			exec(t, w, `DELETE FROM item`)
		}
		_, err := w.Exec(t.Context(), []string{"BEGIN ISOLATION LEVEL NONSENSE"}, insert, nil)
		var prefix *backend.PrefixError
		require.ErrorAs(t, err, &prefix)
		require.True(t, w.Idle(), "nothing was begun")
		execAfter(t, w, begin, insert)
		require.ErrorAs(t, w.Commit(t.Context(), []string{"RELEASE SAVEPOINT gone"}), &prefix)
		require.NoError(t, w.Rollback(t.Context(), nil))
	})
}

func TestWhatIsNotSentLeavesNoTrace(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		w := take(t, open(t, fresh(t, items).DSN, opts...))
		ctx := t.Context()
		ended, cancel := context.WithCancel(ctx)
		cancel()
		exec(t, w, `INSERT INTO item VALUES ($1, 'known')`, 0)
		for name, f := range map[string]func() error{
			"known, wrong type": func() error {
				return fails(w.Exec(ctx, begin, `INSERT INTO item VALUES ($1, 'known')`, []any{struct{}{}}))
			},
			"known, wrong count": func() error { return fails(w.Exec(ctx, begin, `INSERT INTO item VALUES ($1, 'known')`, nil)) },
			"named argument":     func() error { return fails(w.Exec(ctx, begin, `SELECT $1::int`, []any{sql.Named("a", 1)})) },
			"zero byte":          func() error { return fails(w.Exec(ctx, begin, "SELECT 1\x00", nil)) },
			"too many arguments": func() error { return fails(w.Exec(ctx, begin, `SELECT 1`, make([]any, 70000))) },
			"ended ctx":          func() error { return fails(w.Exec(ended, begin, `SELECT 1`, nil)) },
			"ended ctx, commit":  func() error { return w.Commit(ended, begin) },
			"unknown, no prefix": func() error { return fails(w.Exec(ctx, nil, `SELECT $1::int, 'unknown'`, []any{struct{}{}})) },
			"nothing to commit":  func() error { return w.Commit(ctx, nil) },
			"nothing to release": func() error { return w.Commit(ctx, []string{"RELEASE SAVEPOINT hf_1"}) },
		} {
			var unsent *backend.NotSentError
			require.ErrorAs(t, f(), &unsent, name)
			require.False(t, unsent.Closed, name)
			require.True(t, w.Idle(), name)
		}

		rows, err := w.Query(ctx, nil, `SELECT generate_series(1, 10)`, nil)
		require.NoError(t, err)
		var unsent *backend.NotSentError
		require.ErrorAs(t, fails(w.Exec(ctx, begin, `SELECT 1`, nil)), &unsent, "rows are open")
		require.False(t, w.Idle())
		require.NoError(t, rows.Close())
		require.True(t, w.Idle())
	})
}

var begin = []string{"BEGIN"}

func fails(_ driver.Result, err error) error { return err }

// A block that hears of an error which is none of the two wrappers goes by its
// prefix having run.
func TestAValueAtFaultInAnUnknownStatementLeavesThePrefixRun(t *testing.T) {
	t.Parallel()
	w := take(t, open(t, fresh(t, items).DSN))
	err := fails(w.Exec(t.Context(), begin, `INSERT INTO item VALUES ($1, 'x')`, []any{struct{ Secret string }{"secret"}}))
	require.Error(t, err)
	var unsent *backend.NotSentError
	require.NotErrorAs(t, err, &unsent)
	require.False(t, w.Idle(), "BEGIN has run")
	require.EqualError(t, err, "argument 1: this struct { Secret string } cannot be sent as int4")
	require.NoError(t, w.Rollback(t.Context(), nil))
}
