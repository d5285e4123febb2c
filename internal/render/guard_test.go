package render_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

type gauge struct {
	bun.BaseModel `bun:"table:gauges"`
	ID            int64 `bun:",pk"`
	N             int64
	Small         int16
	U             uint32
	Narrow        int8 `bun:"type:bigint"`
}

// set renders the assignment to one column of a gauge.
func set(t *testing.T, s dialect.Server, a query.Assignment) (render.Text, error) {
	t.Helper()
	u := &render.Update{Model: modelOf[gauge](t, s)}
	assignment, err := u.Model.Assignment(a.Node())
	require.NoError(t, err)
	u.Set = []render.Assignment{assignment}
	return u.Render()
}

func TestWhatIsComputedForAColumnIsGuarded(t *testing.T) {
	F := query.F
	for _, c := range []struct {
		set  query.Assignment
		want map[string]string
	}{
		{query.Set("n", F("n").Add(1)), map[string]string{
			dialect.Postgres: "n = (gauges.n + $1)",
			dialect.SQLite: "n = (SELECT CASE WHEN v IS NULL OR typeof(v) = 'integer' AND v BETWEEN -9223372036854775808 AND 9223372036854775807 THEN v " +
				"ELSE json_extract('0', 'holdfast: the result does not fit into Gauge.n') END FROM (SELECT (gauges.n + ?) AS v))",
		}},
		{query.Set("small", F("small").Add(1)), map[string]string{
			dialect.Postgres: "small = (CAST(gauges.small AS bigint) + $1)",
			dialect.MySQL:    "small = (gauges.small + ?)",
			dialect.SQLite: "small = (SELECT CASE WHEN v IS NULL OR typeof(v) = 'integer' AND v BETWEEN -32768 AND 32767 THEN v " +
				"ELSE json_extract('0', 'holdfast: the result does not fit into Gauge.small') END FROM (SELECT (gauges.small + ?) AS v))",
		}},
		{query.Set("u", F("u").Sub(1)), map[string]string{
			dialect.Postgres: "u = (SELECT CASE WHEN g.v IS NULL OR g.v BETWEEN 0 AND 4294967295 THEN g.v ELSE CAST(g.v * 0 + 40000 AS smallint) END " +
				"FROM (SELECT (gauges.u - $1) AS v) AS g)",
			dialect.MySQL: "u = (CAST(gauges.u AS SIGNED) - ?)",
			dialect.SQLite: "u = (SELECT CASE WHEN v IS NULL OR typeof(v) = 'integer' AND v BETWEEN 0 AND 4294967295 THEN v " +
				"ELSE json_extract('0', 'holdfast: the result does not fit into Gauge.u') END FROM (SELECT (gauges.u - ?) AS v))",
		}},
		{query.Set("narrow", F("n")), map[string]string{
			dialect.Postgres: "narrow = (SELECT CASE WHEN g.v IS NULL OR g.v BETWEEN -128 AND 127 THEN g.v ELSE CAST(g.v * 0 + 40000 AS smallint) END " +
				"FROM (SELECT gauges.n AS v) AS g)",
			dialect.MySQL: "narrow = CASE WHEN gauges.n BETWEEN -128 AND 127 OR gauges.n IS NULL THEN gauges.n ELSE gauges.n * 0 + 18446744073709551615 + 1 END",
			dialect.SQLite: "narrow = (SELECT CASE WHEN v IS NULL OR typeof(v) = 'integer' AND v BETWEEN -128 AND 127 THEN v " +
				"ELSE json_extract('0', 'holdfast: the result does not fit into Gauge.narrow') END FROM (SELECT gauges.n AS v))",
		}},
		{query.Set("n", F("small")), map[string]string{dialect.Postgres: "n = gauges.small"}},
		{query.Set("n", 3.0), map[string]string{dialect.Postgres: "n = $1"}},
		{query.Set("n", query.Value(3)), map[string]string{dialect.Postgres: "n = $1"}},
	} {
		for engine, want := range c.want {
			c.want[engine] = "UPDATE gauges SET " + want
		}
		onEach(t, c.want, func(t *testing.T, s dialect.Server) (render.Text, error) { return set(t, s, c.set) })
	}
}

func TestNumbersBesideColumns(t *testing.T) {
	F := query.F
	for _, c := range []struct {
		cond query.Cond
		want map[string]string
		args []any
	}{
		{F("small").Lt(1 << 20), map[string]string{dialect.Postgres: "gauges.small < CAST($1 AS bigint)", dialect.MySQL: "gauges.small < ?",
			dialect.SQLite: "gauges.small < ?"}, []any{int64(1 << 20)}},
		{F("n").Lt(1.5), map[string]string{dialect.Postgres: "gauges.n <= $1"}, []any{int64(1)}},
		{F("n").Gt(-1.5), map[string]string{dialect.Postgres: "gauges.n >= $1"}, []any{int64(-1)}},
		{F("n").Eq(1.5), map[string]string{dialect.Postgres: "1 = 0"}, nil},
		{F("n").Add(1).Ne(1.5), map[string]string{dialect.Postgres: "1 = 1"}, nil},
		{F("n").Le(uint64(1) << 63), map[string]string{dialect.Postgres: "gauges.n IS NOT NULL"}, nil},
		{F("n").In(1, 1.5, uint64(1)<<63), map[string]string{dialect.Postgres: "gauges.n IN ($1)"}, []any{int64(1)}},
		{query.Value(7).Gt(F("n")), map[string]string{dialect.Postgres: "gauges.n < $1"}, []any{int64(7)}},
		{query.Value(nil).IsNull(), map[string]string{dialect.Postgres: "NULL IS NULL"}, nil},
	} {
		for engine, want := range c.want {
			c.want[engine] = "SELECT COUNT(*) FROM gauges WHERE " + want
		}
		onEach(t, c.want, func(t *testing.T, s dialect.Server) (render.Text, error) {
			st, err := modelOf[gauge](t, s).Count(&ast.Select{Where: []ast.Node{c.cond.Condition()}})
			if c.args == nil {
				require.Empty(t, st.Args)
			} else {
				require.Equal(t, c.args, st.Args)
			}
			return st, err
		})
	}
}
