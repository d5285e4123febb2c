package render_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

func TestExistsReadsNoMoreThanOneRow(t *testing.T) {
	for _, c := range []struct {
		s    ast.Select
		want string
		args []any
	}{
		{ast.Select{}, "SELECT 1 FROM owners LIMIT $1", []any{int64(1)}},
		{ast.Select{Limit: limit(5), Offset: 2, Distinct: true, Order: orders([]query.Order{query.OrderBy("id")})},
			"SELECT 1 FROM owners LIMIT $1 OFFSET $2", []any{int64(1), int64(2)}},
		{ast.Select{Limit: limit(0)}, "SELECT 1 FROM owners LIMIT $1", []any{int64(0)}},
		{ast.Select{Where: nodes([]query.Cond{query.F("name").Eq("Ada")})}, "SELECT 1 FROM owners WHERE owners.name = $1 LIMIT $2", []any{"Ada", int64(1)}},
	} {
		onEach(t, map[string]string{dialect.Postgres: c.want}, func(t *testing.T, s dialect.Server) (render.Text, error) {
			st, err := modelOf[Owner](t, s).Exists(&c.s)
			require.Equal(t, c.args, st.Args)
			return st, err
		})
	}
}

func TestAggregatesOnEveryEngine(t *testing.T) {
	F := query.F
	for _, c := range []struct {
		of   query.Operand
		want map[string]string
	}{
		{query.Count(), map[string]string{dialect.Postgres: "COUNT(*)"}},
		{query.Count(F("path")), map[string]string{dialect.Postgres: "COUNT(audio.path)"}},
		{query.CountDistinct(F("index")), map[string]string{dialect.Postgres: "COUNT(DISTINCT audio.index)"}},
		{query.Sum(F("index").Add(1)), map[string]string{dialect.Postgres: "SUM((audio.index + $1))", dialect.MySQL: "SUM((audio.index + ?))",
			dialect.SQLite: "SUM(" + checked("(audio.index + ?)") + ")"}},
		{query.Min(F("updated_at")), map[string]string{dialect.Postgres: "MIN(audio.updated_at)"}},
		{query.Coalesce(query.Max(F("path")), query.Value("")), map[string]string{
			dialect.Postgres: "COALESCE(MAX(audio.path), $1)", dialect.MySQL: "COALESCE(MAX(audio.path), ?)", dialect.SQLite: "COALESCE(MAX(audio.path), ?)"}},
		{query.Avg(F("index")), map[string]string{
			dialect.Postgres: "CAST(AVG(audio.index) AS double precision)", dialect.MySQL: "AVG(0e0 + audio.index)", dialect.SQLite: "AVG(audio.index)"}},
		{query.Raw("MAX(speed)"), map[string]string{dialect.Postgres: "(MAX(speed))"}},
	} {
		want := map[string]string{}
		for engine, text := range c.want {
			want[engine] = "SELECT " + text + " FROM audio"
		}
		onEach(t, want, func(t *testing.T, s dialect.Server) (render.Text, error) {
			return modelOf[Audio](t, s).Aggregate(&ast.Select{Order: orders([]query.Order{query.OrderBy("id")})}, c.of.Node())
		})
	}
}

func TestAggregatesThatAreRefused(t *testing.T) {
	count := query.Count().Node()
	for _, c := range []struct {
		s    ast.Select
		of   ast.Node
		want string
	}{
		{ast.Select{Locks: []*ast.Lock{{}}}, count, "has no rows to lock"},
		{ast.Select{Limit: limit(1)}, count, "over Limit, Offset or Distinct"},
		{ast.Select{Offset: 1}, count, "over Limit, Offset or Distinct"},
		{ast.Select{Distinct: true}, count, "over Limit, Offset or Distinct"},
		{ast.Select{}, query.F("index").Node(), "a column alone has a value for each row"},
		{ast.Select{}, nil, "an expression is empty"},
		{ast.Select{Related: []string{"nothing"}}, count, `Audio has no field "nothing"`},
	} {
		_, err := modelOf[Audio](t, engines[0]).Aggregate(&c.s, c.of)
		require.ErrorContains(t, err, c.want)
	}
	_, err := modelOf[Audio](t, engines[0]).Count(&ast.Select{Locks: []*ast.Lock{{}}})
	require.ErrorIs(t, err, render.ErrLockOptions)
}

func TestSomeColumnsOfARow(t *testing.T) {
	onEach(t, map[string]string{dialect.Postgres: "SELECT audio.id, audio.created_at FROM audio WHERE audio.id = $1"},
		func(t *testing.T, s dialect.Server) (render.Text, error) {
			m := modelOf[Audio](t, s)
			return m.Columns(m.Fields[:2], nodes([]query.Cond{query.F("id").Eq(1)}))
		})
}

func TestNullsComeFirstOnEveryEngine(t *testing.T) {
	onEach(t, map[string]string{
		dialect.Postgres: "SELECT owners.id, owners.name FROM owners ORDER BY (nullif(id, 1)) ASC NULLS FIRST, LOWER(owners.name) DESC LIMIT ALL OFFSET $1",
		dialect.MySQL:    "SELECT owners.id, owners.name FROM owners ORDER BY (nullif(id, 1)) ASC, LOWER(owners.name) DESC LIMIT 18446744073709551615 OFFSET ?",
		dialect.SQLite:   "SELECT owners.id, owners.name FROM owners ORDER BY (nullif(id, 1)) ASC, LOWER(owners.name) DESC LIMIT -1 OFFSET ?",
	}, func(t *testing.T, s dialect.Server) (render.Text, error) {
		st, _, err := modelOf[Owner](t, s).Rows(&ast.Select{Offset: 3, Order: orders([]query.Order{
			query.Raw("nullif(id, 1)").Asc(), query.Lower(query.F("name")).Desc()})})
		require.True(t, st.Raw)
		return st, err
	})
}

func TestL05_LocksOfSeveralClauses(t *testing.T) {
	of := func(w ast.Waiting, d time.Duration, names ...string) *ast.Lock {
		return &ast.Lock{Waiting: w, Wait: d, Of: names}
	}
	for _, c := range []struct {
		locks []*ast.Lock
		want  string // "" if there is nothing wrong
	}{
		{[]*ast.Lock{{}}, ""},
		{[]*ast.Lock{of(ast.WaitSkip, 0, "self"), of(ast.WaitNever, 0, "project")}, ""},
		{[]*ast.Lock{of(ast.WaitLimited, 1, "self"), of(ast.WaitLimited, 1, "project")}, ""},
		{[]*ast.Lock{of(ast.WaitSkip, 0, "self"), {}}, "every clause needs an Of"},
		{[]*ast.Lock{of(ast.WaitSkip, 0, "self"), of(ast.WaitSkip, 0, "self")}, `"self" is locked by two clauses`},
		{[]*ast.Lock{of(ast.WaitLimited, 1, "self"), of(ast.WaitLimited, 2, "project")}, "Wait(1ns) and Wait(2ns)"},
	} {
		err := render.CheckLocks(c.locks)
		if c.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, render.ErrLockOptions)
		require.ErrorContains(t, err, c.want)
		_, _, err = modelOf[Audio](t, engines[0]).Rows(&ast.Select{Related: []string{"project"}, Locks: c.locks})
		require.ErrorContains(t, err, c.want)
	}
}

func TestL06_RowsThatCannotBeLocked(t *testing.T) {
	for _, c := range []struct {
		s    ast.Select
		want string
	}{
		{ast.Select{Distinct: true, Locks: []*ast.Lock{{}}}, "DISTINCT"},
		{ast.Select{Related: []string{"project.owner"}, Locks: []*ast.Lock{{}}}, "Audio may have no project.owner"},
		{ast.Select{Related: []string{"project.owner"}, Locks: []*ast.Lock{{Of: []string{"project.owner"}}}}, "leave it out of Of"},
		{ast.Select{Locks: []*ast.Lock{{Of: []string{"project"}}}}, `is named by Of but not joined; join it with Related("project")`},
		{ast.Select{Related: []string{"project"}, Locks: []*ast.Lock{{Of: []string{"projects"}}}}, `Audio has no field "projects"; choices are self, project`},
	} {
		for _, s := range engines {
			_, _, err := modelOf[Audio](t, s).Rows(&c.s)
			require.ErrorContains(t, err, c.want, s.Engine)
		}
	}
	_, err := modelOf[Audio](t, engines[0]).Exists(&ast.Select{Distinct: true, Locks: []*ast.Lock{{}}})
	require.ErrorIs(t, err, render.ErrLockOptions)
}

func TestLimitsThatAreSetAroundTheStatement(t *testing.T) {
	second := time.Second
	for _, s := range engines {
		models, err := render.NewModels(s, schemaOf(s.Engine))
		require.NoError(t, err)
		require.Nil(t, models.StatementWait(nil))
		require.Nil(t, models.StatementWait([]*ast.Lock{{}, {Waiting: ast.WaitSkip}}))
		limited, never := models.StatementWait([]*ast.Lock{{Waiting: ast.WaitLimited, Wait: second}}), models.StatementWait([]*ast.Lock{{Waiting: ast.WaitNever}})
		if s.Engine == dialect.MariaDB { // its clause has the limit
			require.Nil(t, limited)
		} else {
			require.Equal(t, &second, limited)
		}
		if s.Engine == dialect.SQLite { // it has no clause at all
			require.Equal(t, new(time.Duration), never)
		} else {
			require.Nil(t, never)
		}
	}
}

func TestDistinctQueries(t *testing.T) {
	onEach(t, map[string]string{dialect.Postgres: "SELECT COUNT(*) FROM (SELECT DISTINCT project.id AS c1, project.name AS c2, project.owner_id AS c3, " +
		"owner.id AS c4, owner.name AS c5 FROM project LEFT JOIN owners AS owner ON owner.id = project.owner_id LIMIT $1) AS counted"},
		func(t *testing.T, s dialect.Server) (render.Text, error) {
			return modelOf[Project](t, s).Count(&ast.Select{Related: []string{"owner"}, Distinct: true, Limit: limit(3),
				Order: orders([]query.Order{query.OrderBy("owner.name")})})
		})
	for _, s := range engines {
		by := func(related []string, o query.Order) error {
			_, _, err := modelOf[Project](t, s).Rows(&ast.Select{Related: related, Distinct: true, Order: orders([]query.Order{o})})
			return err
		}
		require.NoError(t, by(nil, query.OrderBy("-name")))
		require.NoError(t, by([]string{"owner"}, query.OrderBy("owner.name")))
		var fe *query.FieldError
		require.ErrorAs(t, by(nil, query.OrderBy("owner.name")), &fe)
		require.EqualError(t, fe, `Project: field "owner.name" orders a Distinct query that does not select it; add Related("owner")`)
		require.ErrorContains(t, by(nil, query.Lower(query.F("name")).Asc()), "is ordered by columns that it selects")
		require.ErrorContains(t, by(nil, query.OrderBy("nothing")), `has no field "nothing"`)
	}
}
