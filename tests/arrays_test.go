package tests

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

type arrayRole string

// What a text of the application's own puts out is an array if the server says so: no tag tells it.
func TestS20_ArraysThatATextPutsOut(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		ctx := t.Context()
		db, err := orm.Open(ctx, testdb.Source(at.Engine, at.DSN))
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		_, err = db.Exec(ctx, "CREATE TYPE role AS ENUM ('reader', 'writer')")
		require.NoError(t, err)
		_, err = db.Exec(ctx, "CREATE DOMAIN tags AS text[]")
		require.NoError(t, err)

		readsArray[[]string](t, db, `ARRAY['a,b', 'NULL', '"']`, []string{"a,b", "NULL", `"`})
		readsArray[[]string](t, db, `ARRAY['a', 'b']::tags`, []string{"a", "b"})
		readsArray[[]string](t, db, `ARRAY[]::text[]`, []string{})
		readsArray[[]string](t, db, `NULL::text[]`, nil)
		readsArray[*[]string](t, db, `NULL::text[]`, nil)
		readsArray[*[]string](t, db, `ARRAY['a']`, &[]string{"a"})
		readsArray[[2]string](t, db, `ARRAY['a', 'b']`, [2]string{"a", "b"})
		readsArray[[]int64](t, db, `ARRAY[1, 2]`, []int64{1, 2})
		readsArray[[]bool](t, db, `ARRAY[true, false]`, []bool{true, false})
		readsArray[[]float64](t, db, `ARRAY[0.1::float8]`, []float64{0.1})
		readsArray[[][]byte](t, db, `ARRAY['\x00ff'::bytea]`, [][]byte{{0, 255}})
		readsArray[[][]byte](t, db, `ARRAY['\x00ff']`, [][]byte{[]byte(`\x00ff`)})
		readsArray[[]time.Time](t, db, `ARRAY['2026-01-02 03:04:05+00'::timestamptz]`, []time.Time{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
		readsArray[[]arrayRole](t, db, `ARRAY['reader', 'writer']::role[]`, []arrayRole{"reader", "writer"})
		readsArray[[]*arrayRole](t, db, `ARRAY[NULL]::role[]`, []*arrayRole{nil})
		readsArray[[]map[string]int](t, db, `ARRAY['{"a": 1}'::jsonb]`, []map[string]int{{"a": 1}})
		readsArray[[]string](t, db, `'["a"]'::jsonb`, []string{"a"})
		readsArray[[]string](t, db, `'["a"]'::text`, []string{"a"})
		readsArray[json.RawMessage](t, db, `'["a"]'::json`, json.RawMessage(`["a"]`))

		type tagged struct {
			ID    int64
			Tags  []string
			Old   []string
			Codes []string `bun:"type:char(3)[]"` // without the blanks that the server has added
		}
		rows, err := orm.Scan[tagged](ctx, db, `SELECT 1 AS id, ARRAY['a', 'b'] AS tags, '["c"]'::jsonb AS old, ARRAY['d']::char(3)[] AS codes`)
		require.NoError(t, err)
		require.Equal(t, []tagged{{1, []string{"a", "b"}, []string{"c"}, []string{"d"}}}, rows)

		_, err = orm.Scan[[]string](ctx, db, `SELECT ARRAY['hunter2', NULL]`)
		var scan *orm.ScanError
		require.ErrorAs(t, err, &scan)
		require.NotContains(t, err.Error(), "hunter2")
	}, testdb.Postgres)
}

// readsArray reads an expression with Scan and with QueryRow.
func readsArray[R any](t *testing.T, db *orm.DB, expression string, want R) {
	t.Helper()
	rows, err := orm.Scan[R](t.Context(), db, "SELECT "+expression)
	if assert.NoError(t, err, expression) {
		assert.Equal(t, []R{want}, rows, expression)
	}
	var one R
	if assert.NoError(t, db.QueryRow(t.Context(), "SELECT "+expression).Scan(&one), expression) {
		assert.Equal(t, want, one, expression)
	}
}
