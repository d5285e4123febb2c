package render_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// onEach renders a statement for every engine and compares it, without quotes,
// with what is wanted: for PostgreSQL, and for the others by engine or, where
// nothing is said, with ? for the numbered placeholders.
func onEach(t *testing.T, want map[string]string, render func(t *testing.T, s dialect.Server) (render.Text, error)) {
	t.Helper()
	for _, s := range engines {
		st, err := render(t, s)
		require.NoError(t, err, s.Engine)
		expected, ok := want[s.Engine]
		if !ok && s.Engine == dialect.MariaDB {
			expected, ok = want[dialect.MySQL]
		}
		if !ok {
			expected = placeholders.Replace(want[dialect.Postgres])
		}
		require.Equal(t, expected, unquoted(s.Engine, st.SQL), s.Engine)
	}
}

func TestJoinsFollowFromPaths(t *testing.T) {
	const head = "SELECT COUNT(*) FROM audio INNER JOIN project AS project ON project.id = audio.project_id " +
		"LEFT JOIN owners AS project__owner ON project__owner.id = project.owner_id WHERE "
	onEach(t, map[string]string{dialect.Postgres: head + `(project__owner.name <> $1) IS NOT FALSE AND project.name = $2`},
		func(t *testing.T, s dialect.Server) (render.Text, error) {
			return modelOf[Audio](t, s).Count(&ast.Select{Where: nodes([]query.Cond{
				query.F("project.owner.name").Ne("Ada"), query.F("project.name").Eq("Radio"),
			})})
		})
}

func TestRelatedColumnsFollowThoseOfTheModel(t *testing.T) {
	onEach(t, map[string]string{dialect.Postgres: "SELECT project.id, project.name, project.owner_id, owner.id, owner.name " +
		"FROM project LEFT JOIN owners AS owner ON owner.id = project.owner_id ORDER BY owner.name DESC NULLS LAST, project.id ASC",
		dialect.MySQL: "SELECT project.id, project.name, project.owner_id, owner.id, owner.name " +
			"FROM project LEFT JOIN owners AS owner ON owner.id = project.owner_id ORDER BY owner.name DESC, project.id ASC",
		dialect.SQLite: "SELECT project.id, project.name, project.owner_id, owner.id, owner.name " +
			"FROM project LEFT JOIN owners AS owner ON owner.id = project.owner_id ORDER BY owner.name DESC, project.id ASC"},
		func(t *testing.T, s dialect.Server) (render.Text, error) {
			st, joins, err := modelOf[Project](t, s).Rows(&ast.Select{Related: []string{"owner", "owner"},
				Order: orders([]query.Order{query.OrderBy("-owner.name"), query.OrderBy("+id")})})
			require.Len(t, joins, 1)
			require.True(t, joins[0].Nullable)
			return st, err
		})
}

func TestLimitsAndCounts(t *testing.T) {
	for _, c := range []struct {
		s    ast.Select
		want map[string]string
	}{
		{ast.Select{Offset: 3}, map[string]string{
			dialect.Postgres: "SELECT COUNT(*) FROM (SELECT 1 AS one FROM owners LIMIT ALL OFFSET $1) AS counted",
			dialect.MySQL:    "SELECT COUNT(*) FROM (SELECT 1 AS one FROM owners LIMIT 18446744073709551615 OFFSET ?) AS counted",
			dialect.SQLite:   "SELECT COUNT(*) FROM (SELECT 1 AS one FROM owners LIMIT -1 OFFSET ?) AS counted",
		}},
		{ast.Select{Distinct: true, Limit: limit(2)}, map[string]string{
			dialect.Postgres: "SELECT COUNT(*) FROM (SELECT DISTINCT owners.id, owners.name FROM owners LIMIT $1) AS counted",
		}},
	} {
		onEach(t, c.want, func(t *testing.T, s dialect.Server) (render.Text, error) {
			return modelOf[Owner](t, s).Count(&c.s)
		})
	}
	for _, bad := range []ast.Select{{Limit: limit(-1)}, {Offset: -1}} {
		_, _, err := modelOf[Owner](t, engines[0]).Rows(&bad)
		require.ErrorContains(t, err, "is negative")
	}
}

func TestLockClauses(t *testing.T) {
	for _, c := range []struct {
		locks   []*ast.Lock
		clauses string // mysql | mariadb | postgres; "-" where the server cannot
	}{
		{[]*ast.Lock{{}}, " FOR UPDATE| FOR UPDATE| FOR UPDATE"},
		{[]*ast.Lock{{Waiting: ast.WaitNever}}, " FOR UPDATE NOWAIT| FOR UPDATE NOWAIT| FOR UPDATE NOWAIT"},
		{[]*ast.Lock{{Strength: ast.ForShare, Waiting: ast.WaitSkip}}, " FOR SHARE SKIP LOCKED| LOCK IN SHARE MODE SKIP LOCKED| FOR SHARE SKIP LOCKED"},
		{[]*ast.Lock{{Waiting: ast.WaitLimited, Wait: 1500e6}}, " FOR UPDATE| FOR UPDATE WAIT 2| FOR UPDATE"},
		{[]*ast.Lock{{Strength: ast.ForNoKeyUpdate}}, "-|-| FOR NO KEY UPDATE"},
		{[]*ast.Lock{{Strength: ast.ForKeyShare}}, "-|-| FOR KEY SHARE"},
		{[]*ast.Lock{{Of: []string{"self", "project"}}}, " FOR UPDATE OF `audio`, `project`|-| FOR UPDATE OF \"audio\", \"project\""},
		{[]*ast.Lock{{Waiting: ast.WaitSkip, Of: []string{"self"}}, {Waiting: ast.WaitNever, Of: []string{"project"}}},
			" FOR UPDATE OF `audio` SKIP LOCKED FOR UPDATE OF `project` NOWAIT|-| FOR UPDATE OF \"audio\" SKIP LOCKED FOR UPDATE OF \"project\" NOWAIT"},
	} {
		for i, want := range strings.Split(c.clauses, "|") {
			st, _, err := modelOf[Audio](t, engines[i]).Rows(&ast.Select{Related: []string{"project"}, Locks: c.locks})
			if want == "-" {
				require.ErrorIs(t, err, dialect.ErrUnsupported)
				continue
			}
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(st.SQL, ".`project_id`"+want) || strings.HasSuffix(st.SQL, `."project_id"`+want), "%s: %s", want, st.SQL)
		}
		st, _, err := modelOf[Audio](t, engines[3]).Rows(&ast.Select{Related: []string{"project"}, Locks: c.locks})
		if c.locks[0].Strength == ast.ForNoKeyUpdate || c.locks[0].Strength == ast.ForKeyShare {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		} else {
			require.NoError(t, err)
			require.NotContains(t, st.SQL, " FOR ")
		}
	}
}

func TestL03_AnOldServerIsNamed(t *testing.T) {
	old := dialect.Server{Engine: dialect.MariaDB, Product: "MariaDB", Version: dialect.Version{Major: 10, Minor: 5, Patch: 29}}
	_, _, err := modelOf[Owner](t, old).Rows(&ast.Select{Locks: []*ast.Lock{{Waiting: ast.WaitSkip}}})
	require.EqualError(t, err, "holdfast: SKIP LOCKED is not supported by MariaDB 10.5.29: needs MariaDB 10.6")
}

func TestWrites(t *testing.T) {
	ada := reflect.ValueOf(Owner{ID: 5, Name: "Ada"})
	for _, c := range []struct {
		name   string
		render func(t *testing.T, s dialect.Server) (render.Text, error)
		want   map[string]string
	}{
		{"insert", func(t *testing.T, s dialect.Server) (render.Text, error) {
			m := modelOf[Owner](t, s)
			return (&render.Insert{Model: m, Fields: m.Fields, Rows: []reflect.Value{ada, ada}}).Render()
		}, map[string]string{dialect.Postgres: "INSERT INTO owners (id, name) VALUES ($1, $2), ($3, $4)"}},
		{"insert defaults", func(t *testing.T, s dialect.Server) (render.Text, error) {
			m := modelOf[Owner](t, s)
			return (&render.Insert{Model: m, Rows: []reflect.Value{ada}, Returning: m.PKs}).Render()
		}, map[string]string{
			dialect.Postgres: "INSERT INTO owners DEFAULT VALUES RETURNING id",
			dialect.MySQL:    "INSERT INTO owners () VALUES () RETURNING id",
		}},
		{"update", func(t *testing.T, s dialect.Server) (render.Text, error) {
			return update(t, s, []query.Assignment{
				query.Set("speed", query.F("speed").Mul(2)), query.Set("path", nil)}, query.F("id").Eq(1))
		}, map[string]string{dialect.Postgres: "UPDATE audio SET speed = (audio.speed * $1), path = $2 WHERE audio.id = $3",
			dialect.MySQL:  "UPDATE audio SET speed = (audio.speed * ?), path = ? WHERE audio.id = ?",
			dialect.SQLite: "UPDATE audio SET speed = " + fittingFloat("speed", "(audio.speed * ?)") + ", path = ? WHERE audio.id = ?"}},
		{"update in an order that reads before it writes", func(t *testing.T, s dialect.Server) (render.Text, error) {
			return update(t, s, []query.Assignment{
				query.Set("index", 0), query.Set("user_id", query.F("index"))})
		}, map[string]string{
			dialect.Postgres: "UPDATE audio SET index = $1, user_id = audio.index",
			dialect.MySQL:    "UPDATE audio SET user_id = audio.index, index = ?",
		}},
		{"update with raw text, which may read any column", func(t *testing.T, s dialect.Server) (render.Text, error) {
			return update(t, s, []query.Assignment{
				query.Set("user_id", 100), query.Set("speed", query.Raw("speed + user_id"))})
		}, map[string]string{
			dialect.Postgres: "UPDATE audio SET user_id = $1, speed = (speed + user_id)",
			dialect.MySQL:    "UPDATE audio SET speed = (speed + user_id), user_id = ?",
			dialect.SQLite:   "UPDATE audio SET user_id = ?, speed = " + fittingFloat("speed", "(speed + user_id)"),
		}},
		{"update with raw text that names its columns", func(t *testing.T, s dialect.Server) (render.Text, error) {
			return update(t, s, []query.Assignment{
				query.Set("user_id", query.Raw("? + 1", query.F("user_id"))), query.Set("index", query.Raw("? + ?", query.F("index"), query.F("user_id")))})
		}, map[string]string{
			dialect.Postgres: "UPDATE audio SET user_id = (audio.user_id + 1), index = (audio.index + audio.user_id)",
			dialect.MySQL:    "UPDATE audio SET index = (audio.index + audio.user_id), user_id = (audio.user_id + 1)",
			dialect.SQLite:   "UPDATE audio SET user_id = " + fitting("user_id", "(audio.user_id + 1)") + ", index = " + fitting("index", "(audio.index + audio.user_id)"),
		}},
		{"update over a relation", func(t *testing.T, s dialect.Server) (render.Text, error) {
			return update(t, s, []query.Assignment{query.Set("text", "")}, query.F("project.name").Eq("x"))
		}, map[string]string{
			dialect.Postgres: "UPDATE audio SET text = $1 WHERE EXISTS (SELECT 1 FROM (SELECT 1) AS matching " +
				"INNER JOIN project AS project ON project.id = audio.project_id WHERE project.name = $2)",
			dialect.MariaDB: "UPDATE audio SET text = ? WHERE (audio.id) IN (SELECT id FROM (SELECT audio.id FROM audio " +
				"INNER JOIN project AS project ON project.id = audio.project_id WHERE project.name = ?) AS matching)",
		}},
		{"delete over a relation", func(t *testing.T, s dialect.Server) (render.Text, error) {
			return (&render.Delete{Model: modelOf[Audio](t, s), Where: nodes([]query.Cond{
				query.And(query.F("project.name").Eq("x"), query.F("index").Eq(1)), query.Raw("project.name <> text"), query.F("user_id").Eq(2)})}).Render()
		}, map[string]string{
			dialect.Postgres: "DELETE FROM audio WHERE audio.index = $1 AND audio.user_id = $2 AND EXISTS (SELECT 1 FROM (SELECT 1) AS matching " +
				"INNER JOIN project AS project ON project.id = audio.project_id WHERE project.name = $3 AND (project.name <> text))",
			dialect.MariaDB: "DELETE FROM audio WHERE audio.index = ? AND audio.user_id = ? AND (audio.id) IN (SELECT id FROM (SELECT audio.id FROM audio " +
				"INNER JOIN project AS project ON project.id = audio.project_id " +
				"WHERE (project.name = ? AND audio.index = ?) AND (project.name <> text) AND audio.user_id = ?) AS matching)",
		}},
		{"delete", func(t *testing.T, s dialect.Server) (render.Text, error) {
			return (&render.Delete{Model: modelOf[Audio](t, s), Where: nodes([]query.Cond{query.F("id").In(1, 2)})}).Render()
		}, map[string]string{dialect.Postgres: "DELETE FROM audio WHERE audio.id IN ($1, $2)"}},
	} {
		t.Run(c.name, func(t *testing.T) { onEach(t, c.want, c.render) })
	}
}

// fitting is what SQLite has to be asked for a whole number that is kept.
func fitting(name, expr string) string {
	return "(SELECT CASE WHEN v IS NULL OR typeof(v) = 'integer' AND v BETWEEN -9223372036854775808 AND 9223372036854775807 THEN v " +
		"ELSE json_extract('0', 'holdfast: the result does not fit into Audio." + name + "') END FROM (SELECT " + expr + " AS v))"
}

func fittingFloat(name, expr string) string {
	return "(SELECT CASE WHEN v IS NULL OR typeof(v) IN ('real', 'integer') AND v BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308 THEN v " +
		"ELSE json_extract('0', 'holdfast: the result does not fit into Audio." + name + "') END FROM (SELECT " + expr + " AS v))"
}

func TestTooManyValues(t *testing.T) {
	conds := make([]query.Cond, 70_000)
	for i := range conds {
		conds[i] = query.F("id").Eq(i)
	}
	for _, s := range engines {
		_, err := modelOf[Audio](t, s).Count(&ast.Select{Where: nodes([]query.Cond{query.Or(conds...)})})
		if s.Engine == dialect.MySQL || s.Engine == dialect.MariaDB {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "70000 values in one statement")
	}
}

func TestLongListsTravelAsOneValue(t *testing.T) {
	ids, names := make([]int64, 40_000), make([]string, 40_000)
	for i := range ids {
		ids[i], names[i] = int64(i), "n"
	}
	names[0] = "a\x00b"
	for _, c := range []struct {
		cond query.Cond
		want map[string]string
	}{
		{query.F("id").In(ids), map[string]string{dialect.Postgres: "audio.id = ANY(CAST($1 AS bigint[]))",
			dialect.SQLite: "audio.id IN (SELECT value FROM json_each(?))"}},
		{query.F("text").NotIn(names), map[string]string{dialect.Postgres: "audio.text <> ALL(CAST($1 AS text[]))",
			dialect.SQLite: "audio.text NOT IN (SELECT value FROM json_each(?) UNION ALL VALUES (?))"}},
		{query.F("path").NotIn(append([]any{nil}, anys(names)...)...), map[string]string{
			dialect.Postgres: "((audio.path <> ALL(CAST($1 AS text[]))) IS NOT FALSE AND audio.path IS NOT NULL)",
			dialect.SQLite:   "((audio.path NOT IN (SELECT value FROM json_each(?) UNION ALL VALUES (?))) IS NOT FALSE AND audio.path IS NOT NULL)"}},
	} {
		for _, s := range engines {
			st, err := modelOf[Audio](t, s).Count(&ast.Select{Where: nodes([]query.Cond{c.cond})})
			require.NoError(t, err)
			if want, ok := c.want[s.Engine]; ok {
				require.Equal(t, "SELECT COUNT(*) FROM audio WHERE "+want, unquoted(s.Engine, st.SQL))
				require.Less(t, len(st.Args), 3)
			} else {
				require.Len(t, st.Args, 40_000)
			}
		}
	}
}

func anys[T any](list []T) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}

// A condition is made of what it was given, and not of what the caller does
// with his slice afterwards.
func TestConditionsKeepNoSliceOfTheCaller(t *testing.T) {
	F := query.F
	conds := []query.Cond{F("index").Eq(1), F("index").Eq(2)}
	values := []any{3, 4}
	for _, c := range []query.Cond{
		query.And(conds...), query.Or(conds...), query.Not(query.And(conds...)),
		F("index").In(values...), F("index").NotIn(values...), query.Raw("? < ?", values...),
	} {
		_, before := where(t, engines[3], c)
		conds[1], values[1] = F("index").Eq(99), 99
		_, after := where(t, engines[3], c)
		require.Equal(t, before, after)
		conds[1], values[1] = F("index").Eq(2), 4
	}
}

func TestRawTextThatMayReadWhatIsAssigned(t *testing.T) {
	for _, set := range [][]query.Assignment{
		{query.Set("speed", query.Raw("user_id")), query.Set("user_id", query.Raw("speed"))},
		{query.Set("speed", query.Raw("user_id")), query.Set("user_id", query.Raw("? + speed", query.F("index")))},
		{query.Set("project_id", query.Raw("user_id")), query.Set("user_id", query.F("project_id"))},
	} {
		for _, s := range engines {
			st, err := update(t, s, set)
			if s.Engine == dialect.MySQL || s.Engine == dialect.MariaDB {
				require.ErrorIs(t, err, dialect.ErrUnsupported)
				require.ErrorContains(t, err, "name the columns in it as operands")
				continue
			}
			require.NoError(t, err)
			require.True(t, st.Raw)
		}
	}
}
