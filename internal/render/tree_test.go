package render_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// rowsOf is a query of whole rows, as a QuerySet hands it out.
type rowsOf struct{ ast.Select }

func (q rowsOf) Tree() *ast.Select { return &q.Select }

func objects[T any](where ...query.Cond) rowsOf {
	return rowsOf{ast.Select{From: ast.Table{Model: reflect.TypeFor[T]()}, Where: nodes(where)}}
}

func (q rowsOf) group(names ...string) rowsOf {
	q.Group = names
	return q
}

func modelsOf(t testing.TB, s dialect.Server) *render.Models {
	t.Helper()
	models, err := render.NewModels(s, schemaOf(s.Engine))
	require.NoError(t, err)
	return models
}

func TestSelectionsOnEveryEngine(t *testing.T) {
	F := query.F
	perUser := query.Select(objects[Audio]().group("user_id"), F("user_id"), query.Count().As("n"))
	its := objects[Audio](F("project_id").Eq(query.Outer("id")))
	last := query.Select(objects[Audio](F("user_id").Eq(query.Outer("user_id"))), query.Max(F("index")))
	named := query.With("audio", query.Select(objects[Audio](F("index").Gt(1)), F("user_id")))
	for _, c := range []struct {
		name string
		q    query.Query
		want map[string]string
	}{
		{"groups", perUser.Having(query.Count().Gt(3)).OrderBy("-n").Limit(2), map[string]string{
			dialect.Postgres: "SELECT audio.user_id, COUNT(*) AS n FROM audio GROUP BY audio.user_id HAVING COUNT(*) > $1 ORDER BY n DESC LIMIT $2"}},
		{"by what is computed", query.Select(objects[Audio]().group("next"), F("user_id").Add(1).As("next"), query.Count().As("n")).Having(F("next").Gt(2)), map[string]string{
			dialect.Postgres: "SELECT (audio.user_id + $1) AS next, COUNT(*) AS n FROM audio GROUP BY 1 HAVING (audio.user_id + $1) > $2",
			dialect.MySQL:    "SELECT (audio.user_id + ?) AS next, COUNT(*) AS n FROM audio GROUP BY 1 HAVING next > ?",
			dialect.SQLite:   "SELECT " + checked("(audio.user_id + ?)") + " AS next, COUNT(*) AS n FROM audio GROUP BY 1 HAVING " + checked("(audio.user_id + ?)") + " > ?"}},
		{"over a relation", query.Select(objects[Audio]().group("project.name"), F("project.name"), query.Count().As("n")), map[string]string{
			dialect.Postgres: "SELECT project.name, COUNT(*) AS n FROM audio INNER JOIN project AS project ON project.id = audio.project_id GROUP BY project.name"}},
		{"of a selection", perUser.Filter(F("n").Gt(3)), map[string]string{
			dialect.Postgres: "SELECT sub.user_id, sub.n FROM (SELECT audio.user_id, COUNT(*) AS n FROM audio GROUP BY audio.user_id) AS sub WHERE sub.n > $1"}},
		{"two deep", query.Select(perUser.GroupBy("n"), F("n"), query.Count().As("users")).Filter(F("users").Gt(1)), map[string]string{
			dialect.Postgres: "SELECT sub.n, sub.users FROM (SELECT sub.n, COUNT(*) AS users FROM (SELECT audio.user_id, COUNT(*) AS n FROM audio GROUP BY audio.user_id) AS sub " +
				"GROUP BY sub.n) AS sub WHERE sub.users > $1"}},
		{"exists", query.Select(objects[Project](query.Exists(its)), F("name")), map[string]string{
			dialect.Postgres: "SELECT project.name FROM project WHERE EXISTS (SELECT 1 FROM audio WHERE audio.project_id = project.id)"}},
		{"exists not", query.Select(objects[Project](query.Not(query.Exists(its))), F("name")), map[string]string{
			dialect.Postgres: "SELECT project.name FROM project WHERE NOT (EXISTS (SELECT 1 FROM audio WHERE audio.project_id = project.id))"}},
		{"the table in itself", query.Select(objects[Audio](F("index").Eq(last)), F("id")), map[string]string{
			dialect.Postgres: "SELECT audio.id FROM audio WHERE audio.index = (SELECT MAX(audio_2.index) FROM audio AS audio_2 WHERE audio_2.user_id = audio.user_id)"}},
		{"in", query.Select(objects[Audio](F("project_id").In(query.Select(objects[Project](F("name").Eq("x")), F("id")))), F("id")), map[string]string{
			dialect.Postgres: "SELECT audio.id FROM audio WHERE audio.project_id IN (SELECT project.id FROM project WHERE project.name = $1)"}},
		{"not in what may be NULL", query.Select(objects[Owner](F("id").NotIn(query.Select(objects[Project](), F("owner_id")))), F("id")), map[string]string{
			dialect.Postgres: "SELECT owners.id FROM owners WHERE (owners.id NOT IN (SELECT project.owner_id FROM project)) IS NOT FALSE"}},
		{"a limit in it", query.Select(objects[Audio](F("id").In(query.Select(objects[Audio](), F("id")).OrderBy("id").Limit(1))), F("id")), map[string]string{
			dialect.Postgres: "SELECT audio.id FROM audio WHERE audio.id IN (SELECT sub.id FROM (SELECT audio.id FROM audio ORDER BY audio.id ASC LIMIT $1) AS sub)"}},
		{"union", query.Union(query.Select(objects[Owner](), F("name")), query.Select(objects[Project](), F("name"))).OrderBy("name"), map[string]string{
			dialect.Postgres: "SELECT sub.name FROM (SELECT owners.name FROM owners UNION SELECT project.name FROM project) AS sub ORDER BY sub.name ASC"}},
		{"values in the order of the text", query.Select(objects[Audio]().with(perUser.Filter(F("n").Gt(7))), query.Value(1).As("one")).Filter(F("one").Eq(9)), map[string]string{
			dialect.Postgres: "SELECT sub.one FROM (SELECT CAST($2 AS bigint) AS one FROM audio INNER JOIN (SELECT sub.user_id, sub.n FROM (SELECT audio.user_id, COUNT(*) AS n FROM audio " +
				"GROUP BY audio.user_id) AS sub WHERE sub.n > $1) AS per ON per.user_id = audio.user_id) AS sub WHERE sub.one = $3",
			dialect.MySQL: "SELECT sub.one FROM (SELECT ? AS one FROM audio INNER JOIN (SELECT sub.user_id, sub.n FROM (SELECT audio.user_id, COUNT(*) AS n FROM audio " +
				"GROUP BY audio.user_id) AS sub WHERE sub.n > ?) AS per ON per.user_id = audio.user_id) AS sub WHERE sub.one = ?",
			dialect.SQLite: "SELECT sub.one FROM (SELECT ? AS one FROM audio INNER JOIN (SELECT sub.user_id, sub.n FROM (SELECT audio.user_id, COUNT(*) AS n FROM audio " +
				"GROUP BY audio.user_id) AS sub WHERE sub.n > ?) AS per ON per.user_id = audio.user_id) AS sub WHERE sub.one = ?"}},
		{"a name that a table has", query.Select(objects[Audio](F("user_id").In(named)), F("id")), map[string]string{
			dialect.Postgres: "WITH audio_2 AS (SELECT audio.user_id FROM audio WHERE audio.index > $1) SELECT audio.id FROM audio " +
				"WHERE audio.user_id IN (SELECT sub.user_id FROM audio_2 AS sub)"}},
		{"a window", query.Select(objects[Audio](), query.RowNumber().Over(query.Partition(F("user_id")).OrderBy("-path").Rows(-1, query.Unbounded)).As("n")), map[string]string{
			dialect.Postgres: "SELECT ROW_NUMBER() OVER (PARTITION BY audio.user_id ORDER BY audio.path DESC NULLS LAST ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING) AS n FROM audio",
			dialect.MySQL:    "SELECT CAST(ROW_NUMBER() OVER (PARTITION BY audio.user_id ORDER BY audio.path DESC ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING) AS SIGNED) AS n FROM audio",
			dialect.MariaDB:  "SELECT ROW_NUMBER() OVER (PARTITION BY audio.user_id ORDER BY audio.path DESC ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING) AS n FROM audio",
			dialect.SQLite:   "SELECT ROW_NUMBER() OVER (PARTITION BY audio.user_id ORDER BY audio.path DESC ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING) AS n FROM audio"}},
		{"a mean over a window", query.Select(objects[Audio](), query.Avg(F("index")).Over(query.Window{}).As("mean")), map[string]string{
			dialect.Postgres: "SELECT CAST(AVG(audio.index) OVER () AS double precision) AS mean FROM audio",
			dialect.MySQL:    "SELECT AVG(0e0 + audio.index) OVER () AS mean FROM audio",
			dialect.SQLite:   "SELECT AVG(audio.index) OVER () AS mean FROM audio"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, c.want, func(t *testing.T, s dialect.Server) (render.Text, error) {
				text, _, err := modelsOf(t, s).Select(c.q.Tree())
				return text, err
			})
		})
	}
}

// with joins q to audio rows by their users.
func (q rowsOf) with(other query.Query) rowsOf {
	q.Joins = []ast.Join{{Name: "per", Of: other.Tree(), On: nodes([]query.Cond{query.F("per.user_id").Eq(query.F("user_id"))})}}
	return q
}

func TestRecursionGoesOnToItsEnd(t *testing.T) {
	F := query.F
	chain := query.Recursive("chain", query.Select(objects[Node](F("id").Eq(1)), F("id")), func(self query.Selection) query.Query {
		q := objects[Node]()
		q.Joins = []ast.Join{{Name: "up", Of: self.Tree(), On: nodes([]query.Cond{F("parent_id").Eq(F("up.id"))})}}
		return query.Select(q, F("id"))
	})
	text := "WITH RECURSIVE chain AS (SELECT nodes.id FROM nodes WHERE nodes.id = $1 UNION ALL SELECT nodes.id FROM nodes " +
		"INNER JOIN chain AS up ON nodes.parent_id = up.id) SELECT sub.id FROM chain AS sub"
	onEach(t, map[string]string{dialect.Postgres: text, dialect.MariaDB: "SET STATEMENT max_recursive_iterations = 4294967295 FOR " + placeholders.Replace(text)},
		func(t *testing.T, s dialect.Server) (render.Text, error) {
			text, _, err := modelsOf(t, s).Select(chain.Tree())
			return text, err
		})
}

func TestWhatAServerHasNot(t *testing.T) {
	old := dialect.Server{Engine: dialect.MySQL, Product: "MySQL", Version: dialect.Version{Major: 8, Patch: 30}}
	ids := query.Select(objects[Owner](), query.F("id"))
	for _, q := range []query.Query{query.Intersect(ids, ids), query.Except(ids, ids),
		query.Select(objects[Owner](), query.Count().Over(query.Partition().OrderBy("id").Groups(0, 0)))} {
		_, _, err := modelsOf(t, old).Select(q.Tree())
		require.ErrorIs(t, err, dialect.ErrUnsupported)
	}
	_, _, err := modelsOf(t, old).Select(query.Union(ids, ids).Tree())
	require.NoError(t, err)
}

// A column that a sub-select puts out is what it was: what stands beside it is
// checked all the same.
func TestS10_OutputsOfSubSelectsHaveAClass(t *testing.T) {
	F := query.F
	sub := query.Select(objects[Audio](), F("text").As("t"), F("index").Add(1).As("i"), query.Max(F("updated_at")).Over(query.Window{}).As("at"))
	for _, c := range []query.Cond{F("t").Eq(5), F("i").Eq("5"), F("at").Lt(7), F("t").Lt(F("i")), F("i").In(query.Select(objects[Owner](), F("name")))} {
		for _, s := range engines {
			_, _, err := modelsOf(t, s).Select(sub.Filter(c).Tree())
			var ve *query.ValueError
			require.ErrorAs(t, err, &ve, s.Engine)
		}
	}
}

func TestChangesBySubSelects(t *testing.T) {
	F := query.F
	last := F("index").Eq(query.Select(objects[Audio](F("user_id").Eq(query.Outer("user_id"))), query.Max(F("index"))))
	of := query.Exists(objects[Project](F("id").Eq(query.Outer("project_id"))))
	for _, c := range []struct {
		cond query.Cond
		want map[string]string
	}{
		{of, map[string]string{
			dialect.Postgres: "DELETE FROM audio WHERE EXISTS (SELECT 1 FROM project WHERE project.id = audio.project_id)",
			dialect.MariaDB: "DELETE FROM audio WHERE (audio.id) IN (SELECT id FROM (SELECT audio.id FROM audio WHERE " +
				"EXISTS (SELECT 1 FROM project WHERE project.id = audio.project_id)) AS matching)"}},
		{last, map[string]string{
			dialect.Postgres: "DELETE FROM audio WHERE audio.index = (SELECT MAX(audio_2.index) FROM audio AS audio_2 WHERE audio_2.user_id = audio.user_id)",
			dialect.MySQL: "DELETE FROM audio WHERE (audio.id) IN (SELECT id FROM (SELECT audio.id FROM audio WHERE " +
				"audio.index = (SELECT MAX(audio_2.index) FROM audio AS audio_2 WHERE audio_2.user_id = audio.user_id)) AS matching)"}},
	} {
		onEach(t, c.want, func(t *testing.T, s dialect.Server) (render.Text, error) {
			return (&render.Delete{Model: modelOf[Audio](t, s), Where: nodes([]query.Cond{c.cond})}).Render()
		})
	}
}

// Text by hand would name the row of the query around it.
func TestRawInASubSelectOfTheSameTable(t *testing.T) {
	by := func(raw query.Cond) error {
		_, _, err := modelsOf(t, engines[0]).Select(query.Select(objects[Audio](query.Exists(objects[Audio](raw))), query.F("id")).Tree())
		return err
	}
	require.ErrorContains(t, by(query.Raw("Audio.speed > 1")), "a Raw names audio, which goes by another name")
	require.NoError(t, by(query.Raw("? > 1", query.F("speed"))))
	require.NoError(t, by(query.Raw("speed > 1")))
}

func TestChangesHaveNoCommonTableExpressions(t *testing.T) {
	named := query.With("ids", query.Select(objects[Audio](), query.F("id")))
	for _, s := range engines {
		_, err := (&render.Delete{Model: modelOf[Audio](t, s), Where: nodes([]query.Cond{query.F("id").In(named)})}).Render()
		require.ErrorContains(t, err, "no common table expressions", s.Engine)
	}
}
