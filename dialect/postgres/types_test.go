package postgres

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/proxy"
)

// A parameter that meets nothing with a type gets that of its value, wherever in a
// block the statement comes.
func TestAParameterWithoutATypeGetsThatOfItsValue(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
	eachWay(t, func(t *testing.T, opts ...Option) {
		db := open(t, fresh(t, items, `INSERT INTO item VALUES (1, 'a')`).DSN, opts...)
		for query, c := range map[string]struct {
			args []any
			want any
		}{
			`SELECT count(*) FROM item WHERE $1 IS NULL OR id = $2`:                                 {[]any{nil, 7}, int64(1)},
			`SELECT count(*) FROM item WHERE $1 IS NULL OR id = $2 -- `:                             {[]any{7, 1}, int64(1)},
			`SELECT count(*) FROM item WHERE ($1 IS NULL OR name = $2) AND ($3 IS NULL OR id = $4)`: {[]any{"a", "a", nil, nil}, int64(1)},
			`SELECT concat(name, $1) FROM item`:                                                     {[]any{"b"}, "ab"},
			`SELECT concat_ws('-', $1, $2, $3) FROM item`:                                           {[]any{1, true, "x"}, "1-t-x"},
			`SELECT format('%s %s', $1, $2)`:                                                        {[]any{1.5, int64(1) << 40}, "1.5 1099511627776"},
			`SELECT jsonb_build_object('a', $1)::text`:                                              {[]any{int8(7)}, `{"a": 7}`},
			`SELECT pg_typeof($1)::text`:                                                            {[]any{now}, "timestamp with time zone"},
			`SELECT pg_typeof($1)::text -- bytes`:                                                   {[]any{[]byte{1}}, "bytea"},
			`SELECT pg_typeof($1)::text -- valuer`:                                                  {[]any{sql.NullString{String: "x", Valid: true}}, "text"},
			`SELECT pg_typeof($1)::text -- strings`:                                                 {[]any{[]string{"x"}}, "text[]"},
		} {
			w := take(t, db)
			require.Equal(t, c.want, one(t, w, query, c.args...), query)
			require.Equal(t, c.want, one(t, w, query, c.args...), query)
			if len(opts) > 0 && apply(opts).alone {
				continue // in a block only where it costs no round trip
			}
			w = take(t, db)
			rows, err := w.Query(t.Context(), []string{"BEGIN", "SAVEPOINT hf_1"}, query, c.args)
			require.NoError(t, err, query)
			all, err := readAll(rows)
			require.NoError(t, err)
			require.Equal(t, c.want, all[0][0])
			require.NoError(t, w.Commit(t.Context(), nil))

			w = take(t, db)
			execAfter(t, w, begin, `SELECT 1`)
			require.Equal(t, c.want, one(t, w, query, c.args...), query)
			require.Equal(t, c.want, one(t, w, query, c.args...), query)
			exec(t, w, `UPDATE item SET name = $1`, "a")
			require.NoError(t, w.Commit(t.Context(), nil))
		}
		// What has no type at all is refused by the server, or by the driver.
		w := take(t, db)
		require.Error(t, fails(w.Exec(t.Context(), nil, `SELECT pg_typeof($1)`, []any{struct{}{}})))
		require.True(t, w.Idle())
	})
}

// The savepoint that makes this possible costs no round trip.
func TestRoundTripsOfAStatementThatIsNew(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	p := proxy.New(t, db.Addr)
	w := take(t, open(t, db.Via(p.Addr())))
	execAfter(t, w, begin, `SELECT 1`)
	require.Equal(t, 2, p.During(func() { exec(t, w, `DELETE FROM item WHERE id = $1`, 1) }).Turns)
	require.Equal(t, 1, p.During(func() { exec(t, w, `DELETE FROM item WHERE id = $1`, 1) }).Turns)
	require.NoError(t, w.Commit(t.Context(), nil))
}

// S1: without prepared statements the types that arguments were encoded for travel along, and
// those of the columns come back, so that a pooler may send each to a session that knows of no
// other than the new type.
func TestS01_AColumnOfAnotherTypeWithoutAStatementCache(t *testing.T) {
	t.Parallel()
	db := fresh(t, `CREATE TABLE n (n bigint)`)
	w := take(t, open(t, db.DSN, WithoutStatementCache()))
	const insert, read = `INSERT INTO n VALUES ($1)`, `SELECT n FROM n ORDER BY n DESC LIMIT 1`
	exec(t, w, insert, int64(5))
	require.EqualValues(t, 5, one(t, w, read))
	exec(t, take(t, open(t, db.DSN)), `ALTER TABLE n ALTER COLUMN n TYPE double precision`)
	require.EqualValues(t, 5, one(t, w, read))
	exec(t, w, insert, int64(7))
	require.EqualValues(t, 7, one(t, w, read))
}
