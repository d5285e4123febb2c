package postgres

import (
	"database/sql"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

// TestS04_AnInstantComesBackAsItWentIn stores times of other zones in both types
// of timestamp.
func TestS04_AnInstantComesBackAsItWentIn(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		db := fresh(t, `CREATE TABLE moment (id int, with_zone timestamptz, without_zone timestamp, day date, many timestamp[])`)
		w := take(t, open(t, db.DSN, opts...))
		insert := `INSERT INTO moment VALUES ($1, $2, $3, $4, $5)`
		at := time.Date(2024, 3, 1, 2, 30, 0, 123456000, time.FixedZone("KST", 9*60*60))
		day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
		for id, args := range [][]any{
			{at, at, day, []time.Time{at}},
			{&at, &at, &day, []time.Time{at.UTC()}},
			{sql.NullTime{Time: at, Valid: true}, sql.NullTime{Time: at, Valid: true}, valuer{day}, []time.Time{at}},
			{valuer{at}, valuer{at}, sql.Null[time.Time]{V: day, Valid: true}, []time.Time{at}},
		} {
			for range 2 {
				exec(t, w, insert, append([]any{id}, args...)...)
			}
			rows, err := w.Query(t.Context(), nil, `SELECT with_zone, without_zone, day, many FROM moment WHERE id = $1`, []any{id})
			require.NoError(t, err)
			all, err := readAll(rows)
			require.NoError(t, err)
			require.Len(t, all, 2)
			for _, row := range all {
				require.Equal(t, at.UTC(), row[0])
				require.Equal(t, at.UTC(), row[1])
				require.Equal(t, day, row[2], "a date has no zone")
				require.Equal(t, `{"2024-02-29 17:30:00.123456"}`, row[3])
			}
		}
		exec(t, w, insert, 9, (*time.Time)(nil), (*time.Time)(nil), sql.NullTime{}, []time.Time(nil))
		require.EqualValues(t, 1, one(t, w, `SELECT count(*) FROM moment WHERE num_nonnulls(with_zone, without_zone, day, many) = 0`))

		// A type of pgx's own means what it says: the wall clock.
		exec(t, w, insert, 10, nil, pgtype.Timestamp{Time: at, Valid: true}, nil, nil)
		require.Equal(t, time.Date(2024, 3, 1, 2, 30, 0, 123456000, time.UTC), one(t, w, `SELECT without_zone FROM moment WHERE id = 10`))

		// The server's own clock agrees with ours about either type.
		require.Equal(t, true, one(t, w, `SELECT now()::timestamp = now() AT TIME ZONE 'UTC'`))
	})
}
