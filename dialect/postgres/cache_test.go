package postgres

import (
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
)

const prepared = `SELECT count(*) FROM pg_prepared_statements`

func TestTheServerKeepsNoMoreThanTheCache(t *testing.T) {
	t.Parallel()
	w := take(t, open(t, fresh(t, items).DSN, StatementCache(3)))
	for i := range 20 {
		exec(t, w, `SELECT `+strconv.Itoa(i))
	}
	for i := range 2 * maxControls {
		execAfter(t, w, []string{"BEGIN", "SET LOCAL lock_timeout = " + strconv.Itoa(i)}, `SELECT 1`)
		require.NoError(t, w.Rollback(t.Context(), nil))
	}
	require.LessOrEqual(t, one(t, w, prepared), int64(3+maxControls+2)) // those just dropped are closed next
	for range 3 {
		one(t, w, prepared)
	}
	require.LessOrEqual(t, one(t, w, prepared), int64(3+maxControls))
}

func TestNoPreparedStatementsWithoutTheCache(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	for name, opts := range map[string][]Option{
		"WithoutStatementCache": {WithoutStatementCache()},
		"StatementCache(0)":     {StatementCache(0)},
	} {
		t.Run(name, func(t *testing.T) {
			w := take(t, open(t, db.DSN, opts...))
			execAfter(t, w, begin, `SELECT $1::int`, 1)
			require.NoError(t, w.Commit(t.Context(), nil))
			require.EqualValues(t, 0, one(t, w, prepared))
		})
	}
	for _, setting := range []string{"default_query_exec_mode=exec", "statement_cache_capacity=0"} {
		t.Run(setting, func(t *testing.T) {
			w := take(t, open(t, db.DSN+"&"+setting))
			exec(t, w, `SELECT $1::int`, 1)
			require.EqualValues(t, 0, one(t, w, prepared))
			w = take(t, open(t, db.DSN+"&"+setting, StatementCache(10)))
			exec(t, w, `SELECT $1::int`, 1)
			require.Greater(t, one(t, w, prepared), int64(1), "the option counts for more")
		})
	}
}

// TestS06AStaleStatementFailsOnceAndIsNotSentAgain changes under a prepared
// statement what it was prepared against.
func TestS06AStaleStatementFailsOnceAndIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query string
		args  []any
		spoil string
		code  string
		own   bool // only the connection itself can do it
	}{
		"column type":   {`SELECT * FROM item`, nil, `ALTER TABLE item ALTER id TYPE bigint`, "0A000", false},
		"column added":  {`SELECT * FROM item`, nil, `ALTER TABLE item ADD note text`, "0A000", false},
		"deallocated":   {`SELECT id FROM item WHERE id = $1`, []any{1}, `DEALLOCATE ALL`, "26000", true},
		"discarded":     {`INSERT INTO item VALUES ($1) ON CONFLICT DO NOTHING`, []any{1}, `DISCARD ALL`, "26000", true},
		"type replaced": {`SELECT $1::mood`, []any{"ok"}, `DROP TYPE mood; CREATE TYPE mood AS ENUM ('ok')`, "XX000", false},
		"table dropped": {`SELECT name FROM item WHERE id = $1`, []any{"1"}, `DROP TABLE item; CREATE TABLE item (id text, name text)`, "42883", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := fresh(t, items, `CREATE TYPE mood AS ENUM ('ok')`)
			p := proxy.New(t, db.Addr)
			w := take(t, open(t, db.Via(p.Addr())))
			send := func() error {
				rows, err := w.Query(t.Context(), nil, c.query, c.args)
				if err == nil {
					_, err = readAll(rows)
				}
				return err
			}
			execAfter(t, w, begin, `SELECT 1`)
			require.NoError(t, w.Commit(t.Context(), nil))
			require.NoError(t, send())
			require.NoError(t, send())
			if c.own {
				exec(t, w, c.spoil)
			} else {
				_, err := db.Admin.Exec(c.spoil)
				require.NoError(t, err)
			}
			var err error
			require.Equal(t, 1, p.During(func() { err = send() }).Turns, "it is not sent a second time")
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, c.code, refused.Code)
			require.NoError(t, send())
			execAfter(t, w, begin, `SELECT 1`)
			require.NoError(t, w.Commit(t.Context(), nil))
		})
	}
}

// A control statement that somebody has closed fails one block and no more.
func TestAClosedControlStatementIsPreparedAgain(t *testing.T) {
	t.Parallel()
	db := open(t, fresh(t).DSN)
	w := take(t, db)
	execAfter(t, w, begin, `SELECT 1`)
	require.NoError(t, w.Commit(t.Context(), nil))
	exec(t, w, `DEALLOCATE ALL`)

	var prefix *backend.PrefixError
	err := fails(w.Exec(t.Context(), begin, `SELECT 1`, nil))
	require.ErrorAs(t, err, &prefix)
	require.ErrorContains(t, db.Engine.Classify(err), "WithoutStatementCache")
	execAfter(t, w, begin, `SELECT 1`)
	require.NoError(t, w.Commit(t.Context(), nil))
}

// The same FETCH reads whatever its cursor is made of this time.
func TestFetchHasTheColumnsOfItsCursor(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		w := take(t, open(t, fresh(t).DSN, opts...))
		for _, c := range []struct {
			cursor string
			want   any
		}{{`SELECT 5`, int64(5)}, {`SELECT 'text'`, "text"}, {`SELECT '\x00ff'::bytea`, []byte{0, 255}}, {`SELECT 5`, int64(5)}} {
			execAfter(t, w, begin, `DECLARE c CURSOR FOR `+c.cursor)
			require.Equal(t, c.want, one(t, w, `FETCH c`))
			require.NoError(t, w.Commit(t.Context(), nil))
		}
	})
}

func TestLongTextsGiveWay(t *testing.T) {
	t.Parallel()
	w := take(t, open(t, fresh(t).DSN)).(*wire)
	for i := range 12 {
		exec(t, w, `SELECT `+strconv.Itoa(i)+` /* `+strings.Repeat("x", 1<<20)+` */`)
		require.LessOrEqual(t, w.statements.length, maxText)
	}
	exec(t, w, `SELECT 1 /* `+strings.Repeat("x", maxText)+` */`)
	require.Zero(t, w.statements.length, "it alone is too long")
}

// A pooler hands one session to several clients. A name must mean the same
// statement for each of them.
func TestANameOfAPreparedStatementMeansOneText(t *testing.T) {
	t.Parallel()
	db := open(t, fresh(t, items).DSN)
	long := "SET LOCAL application_name = '" + strings.Repeat("x", 63) + "'"
	texts := map[string]string{}
	for _, statements := range [][]string{{`SELECT 1`, `SELECT 2`, `TABLE item`}, {`TABLE item`, `SELECT 2`, `SELECT 1`}} {
		w := take(t, db)
		for _, s := range statements {
			// The same text in front, twice in one go and by itself.
			execAfter(t, w, []string{"BEGIN", s, s, long, long + " "}, s)
			require.NoError(t, w.Rollback(t.Context(), []string{s}))
		}
		rows, err := w.Query(t.Context(), nil, `SELECT name, statement FROM pg_prepared_statements`, nil)
		require.NoError(t, err)
		all, err := readAll(rows)
		require.NoError(t, err)
		for _, row := range all {
			name, text := row[0].(string), row[1].(string)
			require.LessOrEqual(t, len(name), 63)
			if known, ok := texts[name]; ok {
				require.Equal(t, known, text)
			}
			texts[name] = text
		}
	}
	require.GreaterOrEqual(t, len(texts), 10)
}
