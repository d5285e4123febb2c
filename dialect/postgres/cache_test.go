package postgres

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
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

// TestS06_WhatAStatementWasPreparedAgainstHasChanged spoils a prepared statement.
// The server refuses it before it runs. Where nothing has come before it, it is
// prepared anew; in the middle of a block it fails, for the last time.
func TestS06_WhatAStatementWasPreparedAgainstHasChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query  string
		args   []any // before
		spoil  string
		later  []any // after; nil: the same
		own    bool  // only the connection itself can do it
		always bool  // fails whatever is kept
		late   bool  // is found out when it runs, and so fails once
	}{
		"column type":     {query: `SELECT * FROM item`, spoil: `ALTER TABLE item ALTER id TYPE bigint`},
		"column added":    {query: `SELECT * FROM item`, spoil: `ALTER TABLE item ADD note text`},
		"column dropped":  {query: `SELECT * FROM item`, spoil: `ALTER TABLE item DROP name`},
		"text for number": {query: `SELECT * FROM item`, spoil: `ALTER TABLE item ALTER id TYPE numeric`},
		"deallocated":     {query: `SELECT id FROM item WHERE id = $1`, args: []any{1}, spoil: `DEALLOCATE ALL`, own: true},
		"discarded":       {query: `INSERT INTO item VALUES ($1) ON CONFLICT DO NOTHING`, args: []any{1}, spoil: `DISCARD ALL`, own: true},
		"type replaced":   {query: `SELECT $1::mood`, args: []any{"ok"}, spoil: `DROP TYPE mood; CREATE TYPE mood AS ENUM ('ok')`, late: true},
		"table replaced":  {query: `SELECT name FROM item WHERE id = $1`, args: []any{"1"}, spoil: `DROP TABLE item; CREATE TABLE item (id text, name text)`},
		"text":            {query: `INSERT INTO co VALUES ($1)`, args: []any{1}, spoil: `DROP TABLE co; CREATE TABLE co (name text)`, later: []any{"x"}},
		"from text":       {query: `INSERT INTO co VALUES ($1)`, args: []any{1}, spoil: `DROP TABLE co; CREATE TABLE co (name boolean)`, later: []any{true}},
		"time":            {query: `INSERT INTO co VALUES ($1)`, args: []any{1}, spoil: `DROP TABLE co; CREATE TABLE co (name timestamptz)`, later: []any{time.Now()}},
		"wider":           {query: `INSERT INTO narrow VALUES ($1)`, args: []any{1}, spoil: `ALTER TABLE narrow ALTER n TYPE bigint`, later: []any{int64(1) << 40}},
		"bytes":           {query: `INSERT INTO co VALUES ($1)`, args: []any{1}, spoil: `DROP TABLE co; CREATE TABLE co (name bytea)`, later: []any{[]byte{0, 255}}},
		"json":            {query: `INSERT INTO co VALUES ($1)`, args: []any{1}, spoil: `DROP TABLE co; CREATE TABLE co (name jsonb)`, later: []any{`{"a":1}`}},
		"array":           {query: `INSERT INTO co VALUES ($1)`, args: []any{1}, spoil: `DROP TABLE co; CREATE TABLE co (name int[])`, later: []any{[]int32{1, 2}}},
		"gone":            {query: `INSERT INTO co VALUES ($1)`, args: []any{1}, spoil: `DROP TABLE co`, always: true},
	} {
		eachWay(t, func(t *testing.T, opts ...Option) {
			t.Run(name, func(t *testing.T) {
				db := fresh(t, items, `CREATE TYPE mood AS ENUM ('ok')`, `CREATE TABLE co (name bigint)`, `CREATE TABLE narrow (n int)`)
				opened := open(t, db.DSN, opts...)
				// Before 16 the server does not say that it has only read an argument.
				c := c
				c.late = c.late || c.later != nil && !opened.Server.Version.AtLeast(16, 0, 0)
				send := func(w backend.Wire, prefix []string, args []any) error {
					rows, err := w.Query(t.Context(), prefix, c.query, args)
					if err == nil {
						_, err = readAll(rows)
					}
					return err
				}
				var wires []backend.Wire
				for range 3 {
					w := take(t, opened)
					execAfter(t, w, begin, `SELECT 1`)
					require.NoError(t, w.Commit(t.Context(), nil))
					require.NoError(t, send(w, nil, c.args))
					require.NoError(t, send(w, nil, c.args))
					wires = append(wires, w)
				}
				if c.own {
					for _, w := range wires {
						exec(t, w, c.spoil)
					}
				} else {
					_, err := db.Admin.Exec(c.spoil)
					require.NoError(t, err)
				}
				later := c.args
				if c.later != nil {
					later = c.later
				}
				if c.always {
					for range 2 {
						err := send(wires[0], nil, later)
						require.Equal(t, "42P01", backend.Classify(opened, err).Code)
						require.Nil(t, backend.Classify(opened, err).Kind)
					}
					return
				}
				if c.late {
					_ = send(wires[0], nil, later)
					require.NoError(t, send(wires[0], nil, later))
					return
				}
				require.NoError(t, send(wires[0], nil, later), "by itself")

				if w := wires[1]; !c.own { // BEGIN itself is gone otherwise
					require.NoError(t, send(w, []string{"BEGIN", "SAVEPOINT hf_1"}, later), "as the first of a block")
					require.NoError(t, w.Commit(t.Context(), nil))
				}
				w := wires[2]
				if !c.own {
					execAfter(t, w, begin, `SELECT 1`)
					if err := send(w, nil, later); err != nil {
						require.NoError(t, w.Rollback(t.Context(), nil))
						execAfter(t, w, begin, `SELECT 1`)
					}
					require.NoError(t, send(w, nil, later), "the second time")
					require.NoError(t, w.Commit(t.Context(), nil))
				}
			})
		})
	}
}

// In a block Retry is told to run it again, at once with what is new.
func TestB17_AMigrationInTheMiddleOfABlockIsRetried(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		for _, spoil := range []string{`ALTER TABLE item ADD note text`, `ALTER TABLE item DROP name`} {
			db := fresh(t, items)
			opened := open(t, db.DSN, opts...)
			w := take(t, opened)
			one := func() error {
				execAfter(t, w, begin, `SELECT 1`)
				rows, err := w.Query(t.Context(), nil, `SELECT * FROM item`, nil)
				if err == nil {
					_, err = readAll(rows)
				}
				if err != nil {
					require.NoError(t, w.Rollback(t.Context(), nil))
					return backend.Classify(opened, err)
				}
				return w.Commit(t.Context(), nil)
			}
			require.NoError(t, one())
			_, err := db.Admin.Exec(spoil)
			require.NoError(t, err)
			if err := one(); err != nil {
				require.ErrorIs(t, err, dialect.ErrSerializationFailure)
			}
			require.NoError(t, one())
		}
	})
}

// What runs may fail with the same codes. It is not run twice.
func TestS06_WhatHasRunIsNotSentAgain(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		db := fresh(t, items, `CREATE SEQUENCE ran`,
			`CREATE FUNCTION fails(code text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
				PERFORM nextval('ran');
				IF code = '42P01' THEN EXECUTE 'SELECT * FROM nowhere'; END IF;
				IF code = '22P02' THEN RETURN 'x'::text::int; END IF;
				RAISE EXCEPTION USING ERRCODE = code; END $$`)
		w := take(t, open(t, db.DSN, opts...))
		const query = `SELECT CASE WHEN $1 = 'none' THEN 1 ELSE fails($1) END`
		exec(t, w, query, "none")
		n := 0
		for _, code := range []string{"42P01", "22P02", "22P03", "08P01", "0A000", "26000", "42804"} {
			exec(t, w, query, "none")
			require.Error(t, fails(w.Exec(t.Context(), nil, query, []any{code})), code)
			n++
			var last int
			require.NoError(t, db.Admin.QueryRow(`SELECT last_value FROM ran`).Scan(&last))
			require.Equal(t, n, last, code)
		}
	})
}

// pgx takes options in front of the arguments.
func TestOptionsOfPgxAreNoArguments(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		w := take(t, open(t, fresh(t, items).DSN, opts...))
		for _, options := range [][]any{
			{pgx.QueryExecModeExec}, {pgx.QueryExecModeSimpleProtocol}, {pgx.QueryExecModeCacheStatement}, {pgx.QueryExecModeDescribeExec},
			{pgx.QueryResultFormats{1}}, {pgx.QueryResultFormatsByOID{23: 1}}, {pgx.QueryExecModeExec, pgx.QueryResultFormats{0}},
		} {
			require.EqualValues(t, 7, one(t, w, `SELECT 7`, options...))
			require.EqualValues(t, 8, one(t, w, `SELECT $1::int + 1`, append(options, 7)...))
			require.EqualValues(t, 8, one(t, w, `SELECT @n::int + 1`, append(options, pgx.NamedArgs{"n": 7})...))
		}
		exec(t, w, `SELECT * FROM item`, pgx.QueryExecModeExec)
		require.EqualValues(t, 0, one(t, w, `SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT * FROM item'`))
	})
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
