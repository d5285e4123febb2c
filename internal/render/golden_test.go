package render_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

func limit(n int64) *int64 { return &n }

func TestS01_ClaimIsRenderedWithPlaceholders(t *testing.T) {
	columns := "id, created_at, updated_at, project_id, user_id, index, text, speed, path, is_audio_required"
	want := map[string]string{
		dialect.MySQL: "SELECT " + list(columns, "`") + " FROM `audio` WHERE `audio`.`is_audio_required` = ? " +
			"ORDER BY `audio`.`updated_at` ASC LIMIT ? FOR UPDATE SKIP LOCKED",
		dialect.Postgres: "SELECT " + list(columns, `"`) + ` FROM "audio" WHERE "audio"."is_audio_required" = $1 ` +
			`ORDER BY "audio"."updated_at" ASC LIMIT $2 FOR UPDATE SKIP LOCKED`,
		dialect.SQLite: "SELECT " + list(columns, `"`) + ` FROM "audio" WHERE "audio"."is_audio_required" = ? ` +
			`ORDER BY "audio"."updated_at" ASC LIMIT ?`,
	}
	want[dialect.MariaDB] = want[dialect.MySQL]
	for _, s := range engines {
		st, joins, err := modelOf[Audio](t, s).Rows(&ast.Select{Where: nodes([]query.Cond{query.F("is_audio_required").Eq(true)}),
			Order: orders([]query.Order{query.OrderBy("updated_at")}), Limit: limit(10), Locks: []*ast.Lock{{Waiting: ast.WaitSkip}}})
		require.NoError(t, err)
		require.Empty(t, joins)
		require.Equal(t, want[s.Engine], st.SQL)
		require.Equal(t, []any{true, int64(10)}, st.Args)
		require.False(t, st.Raw)
	}
}

func list(columns, q string) string {
	names := strings.Split(columns, ", ")
	for i, n := range names {
		names[i] = q + "audio" + q + "." + q + n + q
	}
	return strings.Join(names, ", ")
}

// golden has the SQL of a condition for PostgreSQL; the others follow from it
// where only quotes and placeholders differ.
type golden struct {
	name string
	cond query.Cond
	pg   string
	args []any
	my   string // "" if it follows
	lite string // "" if it follows
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))

func conditions() []golden {
	F := query.F
	one := int64(1)
	var none *int64
	return []golden{
		{name: "eq", cond: F("index").Eq(3), pg: `audio.index = $1`, args: []any{int64(3)}},
		{name: "ne", cond: F("index").Ne(3), pg: `audio.index <> $1`, args: []any{int64(3)}},
		{name: "ne nullable", cond: F("path").Ne("x"), pg: `(audio.path <> $1) IS NOT FALSE`, args: []any{"x"}},
		{name: "pointer", cond: F("index").Eq(&one), pg: `audio.index = $1`, args: []any{int64(1)}},
		{name: "nil", cond: F("path").Eq(nil), pg: `audio.path IS NULL`},
		{name: "nil pointer", cond: F("index").Eq(none), pg: `audio.index IS NULL`},
		{name: "not nil", cond: F("path").Ne(nil), pg: `audio.path IS NOT NULL`},
		{name: "lt", cond: F("speed").Lt(1.5), pg: `audio.speed < $1`, args: []any{1.5}},
		{name: "between", cond: F("index").Between(1, 2), pg: `(audio.index >= $1 AND audio.index <= $2)`, args: []any{int64(1), int64(2)}},
		{name: "time", cond: F("updated_at").Ge(noon), pg: `audio.updated_at >= $1`,
			args: []any{time.Date(2026, 3, 1, 11, 0, 0, 123456000, time.UTC)}},
		{name: "in", cond: F("index").In(1, 2), pg: `audio.index IN ($1, $2)`, args: []any{int64(1), int64(2)}},
		{name: "in slice", cond: F("index").In([]int32{1, 2}), pg: `audio.index IN ($1, $2)`, args: []any{int64(1), int64(2)}},
		{name: "in none", cond: F("index").In(), pg: `1 = 0`},
		{name: "in empty slice", cond: F("index").In([]int{}), pg: `1 = 0`},
		{name: "not in none", cond: F("index").NotIn(), pg: `1 = 1`},
		{name: "in nil", cond: F("path").In(nil), pg: `audio.path IS NULL`},
		{name: "in with nil", cond: F("path").In("a", nil), pg: `(audio.path IN ($1) OR audio.path IS NULL)`, args: []any{"a"}},
		{name: "not in", cond: F("path").NotIn("a"), pg: `(audio.path NOT IN ($1)) IS NOT FALSE`, args: []any{"a"}},
		{name: "not in with nil", cond: F("path").NotIn("a", nil),
			pg: `((audio.path NOT IN ($1)) IS NOT FALSE AND audio.path IS NOT NULL)`, args: []any{"a"}},
		{name: "in computed with nil", cond: F("index").Add(7).In(1, nil),
			pg: `((audio.index + $1) IN ($2) OR (audio.index + $3) IS NULL)`, my: "((audio.index + ?) IN (?) OR (audio.index + ?) IS NULL)",
			lite: "(" + checked("(audio.index + ?)") + " IN (?) OR " + checked("(audio.index + ?)") + " IS NULL)", args: []any{int64(7), int64(1), int64(7)}},
		{name: "and or", cond: query.Or(F("index").Eq(1), query.And(F("index").Eq(2), F("speed").Gt(1))),
			pg: `(audio.index = $1 OR (audio.index = $2 AND audio.speed > $3))`, args: []any{int64(1), int64(2), int64(1)}},
		{name: "empty and", cond: query.And(), pg: `1 = 1`},
		{name: "empty or", cond: query.Or(), pg: `1 = 0`},
		{name: "not", cond: query.Not(F("index").Eq(1)), pg: `NOT (audio.index = $1)`, args: []any{int64(1)}},
		{name: "not nullable", cond: query.Not(F("path").Eq("x")), pg: `(audio.path = $1) IS NOT TRUE`, args: []any{"x"}},
		{name: "not null check", cond: query.Not(F("path").IsNull()), pg: `NOT (audio.path IS NULL)`},
		{name: "columns", cond: F("index").Lt(F("project_id")), pg: `audio.index < audio.project_id`},
		{name: "arithmetic", cond: F("index").Add(1).Mul(2).Sub(F("user_id")).Ge(0),
			pg: `(((audio.index + $1) * $2) - audio.user_id) >= $3`, my: "(((audio.index + ?) * ?) - audio.user_id) >= ?",
			lite: checked("(((audio.index + ?) * ?) - audio.user_id)") + " >= ?", args: []any{int64(1), int64(2), int64(0)}},
		{name: "float beside an integer", cond: F("index").Mul(1.5).Gt(2),
			pg: `(audio.index * CAST($1 AS double precision)) > $2`, my: "(audio.index * (0e0 + ?)) > ?", lite: `(audio.index * ?) > ?`,
			args: []any{1.5, int64(2)}},
		{name: "contains", cond: F("text").Contains(`50%_!*?[a]\`),
			pg: `audio.text LIKE $1 ESCAPE '!'`, my: "audio.text LIKE ? COLLATE utf8mb4_bin ESCAPE '!'", lite: "instr(audio.text, ?) > 0",
			args: []any{`%50!%!_!!*?[a]\%`}},
		{name: "starts with", cond: F("text").StartsWith(`a*[%`), pg: `audio.text LIKE $1 ESCAPE '!'`, my: "audio.text LIKE ? COLLATE utf8mb4_bin ESCAPE '!'",
			lite: "audio.text GLOB ?", args: []any{"a*[!%%"}},
		{name: "ends with", cond: F("text").EndsWith("b"), pg: `audio.text LIKE $1 ESCAPE '!'`, my: "audio.text LIKE ? COLLATE utf8mb4_bin ESCAPE '!'",
			lite: "substr(CAST(audio.text AS BLOB), -length(CAST(? AS BLOB))) IS CAST(? AS BLOB)", args: []any{"%b"}},
		{name: "like", cond: F("text").Like("a_c%d"), pg: `audio.text LIKE $1 ESCAPE '!'`, my: "audio.text LIKE ? COLLATE utf8mb4_bin ESCAPE '!'",
			lite: "CASE WHEN instr(audio.text, char(0)) > 0 THEN json_extract('0', 'holdfast: a text holds a NUL, at which SQLite stops to compare it with a pattern') " +
				"ELSE audio.text GLOB ? END", args: []any{"a_c%d"}},
		{name: "like without wildcards", cond: F("text").Like(`a\%`), pg: `audio.text LIKE $1 ESCAPE '!'`, my: "audio.text LIKE ? COLLATE utf8mb4_bin ESCAPE '!'",
			lite: "audio.text = ? COLLATE BINARY", args: []any{"a!%"}},
		{name: "icontains", cond: F("text").IContains("A"),
			pg: `LOWER(audio.text) LIKE LOWER($1) ESCAPE '!'`, my: "LOWER(audio.text) LIKE LOWER(?) COLLATE utf8mb4_bin ESCAPE '!'",
			lite: "instr(LOWER(audio.text), LOWER(?)) > 0", args: []any{"%A%"}},
		{name: "functions", cond: query.Lower(query.Coalesce(F("path"), query.Value("NONE"))).Eq("none"),
			pg:   `LOWER(COALESCE(audio.path, $1)) = $2`,
			my:   "LOWER(COALESCE(audio.path, ?)) = ?",
			lite: "LOWER(COALESCE(audio.path, ?)) = ?", args: []any{"NONE", "none"}},
		{name: "now", cond: F("updated_at").Lt(query.Now()), pg: `audio.updated_at < statement_timestamp()`,
			my: "audio.updated_at < UTC_TIMESTAMP(6)", lite: `audio.updated_at < strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')`},
		{name: "raw", cond: query.And(F("index").Eq(1), query.Raw(`length(?) > ? AND '?' <> "a?" -- ?`, F("text"), 5)),
			pg:   `(audio.index = $1 AND (length(audio.text) > $2 AND '?' <> "a?" -- ?))`,
			args: []any{int64(1), int64(5)}},
		{name: "raw as an expression", cond: query.Raw("length(?)", F("text")).Gt(3), pg: `(length(audio.text)) > $1`, args: []any{int64(3)}},
	}
}

// checked is what SQLite has to be asked for a whole number of the rows': by
// itself it goes on with a floating-point number where one becomes too large.
func checked(expr string) string {
	return "(SELECT CASE typeof(v) WHEN 'real' THEN json_extract('0', 'holdfast: a whole number is out of range') ELSE v END FROM (SELECT " + expr + " AS v))"
}

func TestConditionsOnEveryEngine(t *testing.T) {
	for _, g := range conditions() {
		t.Run(g.name, func(t *testing.T) {
			for _, s := range engines {
				sql, args := where(t, s, g.cond)
				_, sql, _ = strings.Cut(sql, " WHERE ")
				want := g.pg
				if s.Engine != dialect.Postgres {
					want = placeholders.Replace(want)
				}
				switch {
				case s.Engine == dialect.SQLite && g.lite != "":
					want = g.lite
				case (s.Engine == dialect.MySQL || s.Engine == dialect.MariaDB) && g.my != "":
					want = g.my
				}
				require.Equal(t, want, unquoted(s.Engine, sql), s.Engine)
				if bound, ok := globs[g.name]; ok && s.Engine == dialect.SQLite {
					require.Equal(t, bound, args)
				} else if s.Engine == dialect.SQLite && g.name == "contains" {
					require.Equal(t, []any{`50%_!*?[a]\`}, args)
				} else if s.Engine == dialect.SQLite && g.name == "icontains" {
					require.Equal(t, []any{"A"}, args)
				} else {
					require.Equal(t, g.args, args, s.Engine)
				}
			}
		})
	}
}

// globs are the values of patterns for SQLite.
var globs = map[string][]any{
	"starts with": {"a[*][[]%*"}, "ends with": {"b", "b"}, "like": {"a?c*d"}, "like without wildcards": {"a%"},
}

var placeholders = strings.NewReplacer("$1", "?", "$2", "?", "$3", "?", "$4", "?")

// unquoted takes the quotes off the names, for reading.
func unquoted(engine, sql string) string {
	if engine == dialect.MySQL || engine == dialect.MariaDB {
		return strings.ReplaceAll(sql, "`", "")
	}
	r := strings.NewReplacer(`"a?"`, `"a?"`, `"`, "")
	return r.Replace(sql)
}
