package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type perUser struct {
	UserID int64
	N      int64
	Last   time.Time
}

// ledger is audio rows of three users: 7 has the indexes 0 to 3, 8 has 4 and 5, and 9
// has 6.
func ledger(ctx context.Context, t testing.TB, db *orm.DB) []*Audio {
	t.Helper()
	project, _ := studio(ctx, t, db, 0)
	var rows []*Audio
	for i := range 7 {
		a := &Audio{ProjectID: project.ID, UserID: []int64{7, 7, 7, 7, 8, 8, 9}[i], Index: i, Text: "x", Speed: float64(i) / 2}
		if i%2 == 0 {
			text := []string{"a", "", "b", "", "a", "", "c"}[i]
			a.Path = &text
		}
		rows = append(rows, a)
	}
	require.NoError(t, orm.Objects[Audio](db).BulkCreate(ctx, rows))
	return rows
}

func TestS30_Select(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		rows := ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		got, err := orm.Select[perUser](ctx, audio.GroupBy("user_id").Having(query.Count().Gt(1)).OrderBy("-n"),
			F("user_id"), query.Count().As("n"), query.Max(F("updated_at")).As("last"))
		require.NoError(t, err)
		require.Equal(t, []perUser{{7, 4, rows[3].UpdatedAt}, {8, 2, rows[5].UpdatedAt}}, got)

		ids, err := orm.Select[int](ctx, audio.Filter(F("user_id").Eq(8)).OrderBy("index"), F("index"))
		require.NoError(t, err)
		require.Equal(t, []int{4, 5}, ids)
		paths, err := orm.Select[*string](ctx, audio.OrderBy("path").Distinct(), F("path"))
		require.NoError(t, err)
		require.Len(t, paths, 4)
		require.Nil(t, paths[0])
		require.Equal(t, "c", *paths[3])
		times, err := orm.Select[time.Time](ctx, audio.Limit(1), F("updated_at"))
		require.NoError(t, err)
		require.Equal(t, rows[0].UpdatedAt, times[0])
		sums, err := orm.Select[int64](ctx, audio, query.Sum(F("index")))
		require.NoError(t, err)
		require.Equal(t, []int64{21}, sums)
		none, err := orm.Select[int64](ctx, audio.Filter(F("index").Gt(99)), F("index"))
		require.NoError(t, err)
		require.NotNil(t, none)
		require.Empty(t, none)

		named, err := orm.Select[struct {
			Name string
			N    int64
		}](ctx, audio.GroupBy("project.name"), F("project.name"), query.Count().As("n"))
		require.NoError(t, err)
		require.Len(t, named, 1)
		require.Equal(t, "Radio", named[0].Name)

		// By what is computed from each row.
		halves, err := orm.Select[struct {
			Half int64
			N    int64
		}](ctx, audio.GroupBy("half").Having(F("half").Gt(7)).OrderBy("half"), F("user_id").Add(1).As("half"), query.Count().As("n"))
		require.NoError(t, err)
		require.EqualValues(t, 8, halves[0].Half)
		require.EqualValues(t, 4, halves[0].N)
		require.Len(t, halves, 3)

		n, err := audio.GroupBy("user_id").Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n, "groups")
		some, err := audio.GroupBy("user_id").Having(query.Count().Gt(4)).Exists(ctx)
		require.NoError(t, err)
		require.False(t, some)

		var seen []int
		for i, err := range orm.IterateSelect[int](ctx, audio.OrderBy("index"), F("index")) {
			require.NoError(t, err)
			seen = append(seen, i)
			if len(seen) == 3 {
				break
			}
		}
		require.Equal(t, []int{0, 1, 2}, seen)
	})
}

func TestS30_SelectReadsEachOutputIntoItsField(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		_, err := orm.Select[perUser](ctx, audio, F("user_id"), F("index"), query.Count().Over(query.Window{}).As("m"))
		require.ErrorContains(t, err, "orm: Select: orm_test.perUser does not fit the query: it has no field for index, m; the query does not put out n, last")
		_, err = orm.Select[perUser](ctx, audio, query.Lower(F("text")))
		require.ErrorContains(t, err, "without a name (As) is output number 1")
		_, err = orm.Select[int](ctx, audio, F("user_id"), F("index"))
		require.ErrorContains(t, err, "int is a single value, and the query puts out 2: user_id, index")
		_, err = orm.Select[int](ctx, audio, F("text"))
		require.ErrorContains(t, err, "is an integer, and what is put out for it is text")
		_, err = orm.Select[*perUser](ctx, audio, F("text"))
		require.ErrorContains(t, err, "not into pointers")
		_, err = orm.Select[string](ctx, audio, F("path"))
		var scan *orm.ScanError
		require.ErrorAs(t, err, &scan, "NULL in a string")
		for _, c := range []struct {
			q    orm.QuerySet[Audio]
			out  []query.Operand
			want string
		}{
			{audio.GroupBy("user_id"), []query.Operand{F("index")}, `Audio: field "index" has several values in a group`},
			{audio, []query.Operand{F("index"), query.Count().As("n")}, `Audio: field "index" has several values in a group`},
			{audio.GroupBy("user_id").Having(F("index").Gt(1)), []query.Operand{F("user_id")}, `field "index" has several values`},
			{audio.GroupBy("user_id").OrderBy("index"), []query.Operand{F("user_id")}, `field "index" has several values`},
			{audio.GroupBy("nothing"), []query.Operand{F("user_id")}, `has no field "nothing"`},
			{audio.Having(query.Count().Gt(1)), []query.Operand{query.Count()}, "Having without GroupBy"},
			{audio, []query.Operand{F("index"), F("user_id").As("Index")}, "is put out twice"},
			{audio, []query.Operand{F("index").As(`a"b`)}, "is no name"},
			{audio.OrderBy("index"), []query.Operand{F("user_id").Add(1).As("index")}, "is a column and also what is put out"},
			{audio.Distinct().OrderBy("index"), []query.Operand{F("user_id")}, "ordered by what it puts out"},
			{audio.Filter(query.Count().Gt(1)), []query.Operand{F("user_id")}, "an aggregate function is computed over a whole set"},
			{audio, []query.Operand{query.Sum(query.Sum(F("index")))}, "an aggregate function is computed over a whole set"},
			{audio.Filter(query.RowNumber().Over(query.Partition().OrderBy("id")).Eq(1)), []query.Operand{F("id")}, "stands in what a query puts out"},
			{audio, []query.Operand{nil}, "an expression is empty"},
			{audio.Limit(1), []query.Operand{query.Count()}, "over Limit"},
		} {
			_, err := orm.Select[int64](ctx, c.q, c.out...)
			require.ErrorContains(t, err, c.want)
		}
		_, err = audio.GroupBy("user_id").All(ctx)
		require.ErrorContains(t, err, "a grouped query has no whole rows")
		_, err = audio.GroupBy("user_id").Delete(ctx)
		require.ErrorContains(t, err, "cannot be changed")
	})
}

func TestS31_Scan(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		type pair struct {
			UserID int64
			N      int64
		}
		got, err := orm.Scan[pair](ctx, db, "SELECT COUNT(*) AS n, user_id FROM audio WHERE user_id <> ? GROUP BY user_id ORDER BY user_id", 9)
		require.NoError(t, err)
		require.Equal(t, []pair{{7, 4}, {8, 2}}, got)
		texts, err := orm.Scan[string](ctx, db, "SELECT name FROM project ORDER BY name")
		require.NoError(t, err)
		require.Equal(t, []string{"Empty", "Radio"}, texts)
		_, err = orm.Scan[pair](ctx, db, "SELECT user_id, text FROM audio")
		require.ErrorContains(t, err, "it has no field for text; the query does not put out n")
		_, err = orm.Scan[int64](ctx, db, "SELECT path FROM audio WHERE path IS NULL")
		var scan *orm.ScanError
		require.ErrorAs(t, err, &scan)
		var all []int64
		for n, err := range orm.IterateScan[int64](ctx, db, "SELECT user_id FROM audio WHERE user_id > ?", 7) {
			require.NoError(t, err)
			all = append(all, n)
		}
		require.Len(t, all, 3)
	})
}

func TestS32_SubSelects(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio, projects := orm.Objects[Audio](db), orm.Objects[Project](db)
		names := func(q orm.QuerySet[Project]) (list []string) {
			t.Helper()
			rows, err := q.OrderBy("name").All(ctx)
			require.NoError(t, err)
			n, err := q.Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, len(rows), n)
			for _, p := range rows {
				list = append(list, p.Name)
			}
			return list
		}
		its := audio.Filter(F("project_id").Eq(query.Outer("id")))
		require.Equal(t, []string{"Radio"}, names(projects.Filter(query.Exists(its))))
		require.Equal(t, []string{"Empty"}, names(projects.Exclude(query.Exists(its))))
		require.Equal(t, []string{"Empty"}, names(projects.Filter(query.Not(query.Exists(its.Filter(F("index").Gt(2)).OrderBy("index"))))))
		require.Equal(t, []string{"Radio"}, names(projects.Filter(F("id").In(query.Select(audio, F("project_id"))))))
		require.Equal(t, []string{"Empty"}, names(projects.Filter(F("id").NotIn(query.Select(audio, F("project_id"))))))
		require.Equal(t, []string{"Radio"}, names(projects.Filter(F("id").In(query.Select(audio.OrderBy("id").Limit(2), F("project_id"))))))
		require.Equal(t, []string{"Empty"}, names(projects.Filter(query.Coalesce(query.Select(its, query.Count()), query.Value(0)).Eq(0))))

		// NULL equals nothing, also in a sub-select.
		paths := query.Select(audio.Filter(F("index").Lt(2)), F("path"))
		n, err := audio.Filter(F("path").In(paths)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		n, err = audio.Filter(F("path").NotIn(paths)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
		n, err = audio.Exclude(F("path").In(paths)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 5, n)

		// The table within itself: the rows that are the user's last.
		last := query.Select(audio.Filter(F("user_id").Eq(query.Outer("user_id"))), query.Max(F("index")))
		rows, err := audio.Filter(F("index").Eq(last)).OrderBy("index").All(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{3, 5, 6}, indexes(rows))
		// Two deep, each within itself.
		rows, err = audio.Filter(query.Exists(audio.Filter(F("index").Gt(query.Outer("index")), F("user_id").Eq(query.Outer("user_id")),
			query.Not(query.Exists(audio.Filter(F("index").Gt(query.Outer("index")), F("user_id").Eq(query.Outer("user_id")))))))).OrderBy("index").All(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{0, 1, 2, 4}, indexes(rows))

		// What is changed can be found, and computed, by sub-selects.
		n, err = audio.Filter(F("index").Eq(last)).Update(ctx, query.Set("text", "last"))
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		n, err = audio.Filter(F("text").Eq("last"), query.Exists(projects.Filter(F("id").Eq(query.Outer("project_id")), F("name").Eq("Radio")))).Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		n, err = projects.Update(ctx, query.Set("name", query.Select(orm.Objects[Owner](db), query.Max(F("name")))))
		require.ErrorIs(t, err, dialect.ErrUniqueViolation, n)
		n, err = audio.Filter(F("user_id").Eq(8)).Update(ctx, query.Set("index", query.Select(audio, query.Max(F("index")))))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

func TestS32_SubSelectsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		audio, projects := orm.Objects[Audio](db), orm.Objects[Project](db)
		for want, c := range map[string]query.Cond{
			"a query of whole rows is no value":                            F("id").In(audio),
			"has one row: put out an aggregate without GroupBy":            F("id").Eq(query.Select(audio, F("project_id"))),
			"puts out one value, and this one 2":                           F("id").In(query.Select(audio, F("project_id"), F("index"))),
			"cannot stand beside":                                          F("id").In(query.Select(audio, F("text"))),
			"a floating-point number among exact ones":                     F("id").In(query.Select(audio, F("speed"))),
			"is named by Outer in a sub-select that is read from":          query.Exists(query.Select(audio, F("id")).Filter(F("id").Eq(1)).Join("x", query.Select(audio.Filter(F("id").Eq(query.Outer("id"))), F("id")), F("id").Eq(F("x.id")))),
			`Project: field "id" is named by Outer, but nothing is around`: F("id").Eq(query.Outer("id")),
			`Project has no field "nope"`:                                  query.Exists(audio.Filter(F("id").Eq(query.Outer("nope")))),
			"a sub-select is nil":                                          query.Exists(nil),
			"a sub-select locks no rows":                                   query.Exists(audio.SelectForUpdate()),
		} {
			_, err := projects.Filter(c).Count(ctx)
			require.ErrorContains(t, err, want)
		}
		other := open(t, testserver.NewSQLite(t))
		_, err := projects.Filter(query.Exists(orm.Objects[Audio](other))).Count(ctx)
		require.ErrorContains(t, err, "a sub-select is of another database")
	})
}

type annotated struct {
	bun.BaseModel `bun:"table:project"`
	ID            int64 `bun:",pk"`
	Name          string
	Rows          int64 `bun:",scanonly"`
}

func TestS33_Annotate(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		count := query.Select(orm.Objects[Audio](db).Filter(F("project_id").Eq(query.Outer("id"))), query.Count())
		all := orm.Objects[annotated](db).Annotate("rows", count)
		rows, err := all.OrderBy("-rows").All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.EqualValues(t, 7, rows[0].Rows)
		require.EqualValues(t, 0, rows[1].Rows)
		rows, err = all.Filter(F("rows").Gt(3)).All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Equal(t, "Radio", rows[0].Name)
		n, err := all.Filter(F("rows").Eq(0)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		numbered, err := orm.Objects[annotated](db).Annotate("rows", query.RowNumber().Over(query.Partition().OrderBy("-name"))).OrderBy("rows").All(ctx)
		require.NoError(t, err)
		require.Equal(t, "Radio", numbered[0].Name)
		require.EqualValues(t, 2, numbered[1].Rows)
		_, err = orm.Objects[annotated](db).Annotate("name", F("id")).All(ctx)
		require.ErrorContains(t, err, "is a column that is stored")
		_, err = orm.Objects[annotated](db).Annotate("rows", F("name")).All(ctx)
		require.ErrorContains(t, err, "is an integer, and what is computed for it is text")
		_, err = orm.Objects[annotated](db).Annotate("rows", query.Count()).All(ctx)
		require.ErrorContains(t, err, "an aggregate function is computed over a whole set")
	})
}

func TestS34_Combinations(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		users := func(low, high int) query.Selection {
			return query.Select(audio.Filter(F("index").Between(low, high)), F("user_id"))
		}
		read := func(q query.Query) []int64 {
			t.Helper()
			list, err := orm.Select[int64](ctx, q)
			require.NoError(t, err)
			return list
		}
		require.Equal(t, []int64{7, 8, 9}, read(query.Union(users(0, 4), users(3, 6)).OrderBy("user_id")))
		require.Equal(t, []int64{9, 8}, read(query.Union(users(0, 4), users(3, 6)).OrderBy("-user_id").Limit(2)))
		require.Equal(t, []int64{7, 7, 8, 8, 9}, read(query.UnionAll(users(0, 1), users(4, 6)).OrderBy("user_id")))
		require.Equal(t, []int64{8, 9}, read(query.UnionAll(users(0, 1), users(4, 6)).Distinct().OrderBy("user_id").Offset(1)))
		require.Equal(t, []int64{7, 9}, read(query.UnionAll(users(0, 3).OrderBy("-user_id").Limit(1), users(6, 6)).OrderBy("user_id")))
		n, err := audio.Filter(F("user_id").In(query.Union(users(4, 4), users(6, 6)))).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		if db.Server().Can(dialect.Intersect) {
			require.Equal(t, []int64{7, 8}, read(query.Intersect(users(0, 5), users(3, 6), users(2, 4)).OrderBy("user_id")))
			require.Equal(t, []int64{7}, read(query.Except(users(0, 6), query.Union(users(4, 4), users(6, 6)))))
		}
		_, err = orm.Select[int64](ctx, query.Union(users(0, 1), query.Select(audio, F("text"))))
		require.ErrorContains(t, err, "is of two kinds")
		_, err = orm.Select[int64](ctx, query.Union(users(0, 1), query.Select(audio, F("id"), F("index"))))
		require.ErrorContains(t, err, "put out 1 and 2 values")
	})
}

func TestS35_Selections(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		perUser := query.Select(audio.GroupBy("user_id"), F("user_id"), query.Count().As("n"), query.Max(F("index")).As("last"))
		busy, err := orm.Select[int64](ctx, perUser.Filter(F("n").Gt(1)).OrderBy("-n"), F("user_id"))
		require.NoError(t, err)
		require.Equal(t, []int64{7, 8}, busy)
		mean, err := orm.Select[float64](ctx, perUser, query.Avg(F("n")))
		require.NoError(t, err)
		require.InDelta(t, 7.0/3, mean[0], 1e-12)
		// How many users have how many rows.
		counts, err := orm.Select[struct{ N, Users int64 }](ctx, perUser.GroupBy("n").OrderBy("n"), F("n"), query.Count().As("users"))
		require.NoError(t, err)
		require.Equal(t, []struct{ N, Users int64 }{{1, 1}, {2, 1}, {4, 1}}, counts)
		top, err := orm.Select[int](ctx, audio.Join("per", perUser, F("user_id").Eq(F("per.user_id")), F("index").Eq(F("per.last"))).
			Filter(F("per.n").Gt(1)).OrderBy("index"), F("index"))
		require.NoError(t, err)
		require.Equal(t, []int{3, 5}, top)
		left, err := orm.Select[struct {
			Index int
			N     *int64
		}](ctx, audio.LeftJoin("per", perUser.Filter(F("n").Eq(2)), F("user_id").Eq(F("per.user_id"))).Filter(F("index").Ge(5)).OrderBy("index"), F("index"), F("per.n"))
		require.NoError(t, err)
		require.Len(t, left, 2)
		require.EqualValues(t, 2, *left[0].N)
		require.Nil(t, left[1].N)
		three, err := orm.Select[int64](ctx, perUser.OrderBy("-n").Limit(2), query.Sum(F("n")))
		require.NoError(t, err)
		require.Equal(t, []int64{6}, three, "of the rows that the limit left")

		// A name that is read twice.
		named := query.With("per_user", perUser)
		most := query.Select(named, query.Max(F("n")))
		who, err := orm.Select[int64](ctx, named.Filter(F("n").Eq(most)), F("user_id"))
		require.NoError(t, err)
		require.Equal(t, []int64{7}, who)
		n, err := audio.Filter(F("user_id").In(query.Select(query.With("audio", named).Filter(F("n").Lt(4)), F("user_id")))).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}

type folder struct {
	bun.BaseModel `bun:"table:folder"`
	ID            int64 `bun:",pk"`
	ParentID      *int64
	Name          string
}

func TestS35_Recursive(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*folder)(nil)))
		var rows []*folder
		for i := range int64(1500) { // a chain, longer than some servers go by themselves
			f := &folder{ID: i + 1, Name: "f"}
			if i > 0 {
				f.ParentID = &rows[i-1].ID
			}
			rows = append(rows, f)
		}
		folders := orm.Objects[folder](db)
		require.NoError(t, folders.BulkCreate(ctx, rows))
		below := func(limit int) query.Selection {
			return query.Recursive("folder", query.Select(folders.Filter(F("id").Eq(3)), F("id"), F("parent_id"), query.Value(0).As("depth")),
				func(self query.Selection) query.Query {
					return query.Select(folders.Join("up", self, F("parent_id").Eq(F("up.id"))).Filter(F("up.depth").Lt(limit)), F("id"), F("parent_id"), F("up.depth").Add(1))
				})
		}
		got, err := orm.Select[struct {
			ID       int64
			ParentID *int64
			Depth    int
		}](ctx, below(4).OrderBy("-depth"))
		require.NoError(t, err)
		require.Len(t, got, 5)
		require.EqualValues(t, 7, got[0].ID)
		require.Equal(t, 4, got[0].Depth)
		n, err := folders.Filter(F("id").In(query.Select(below(2), F("id")))).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		deep, err := orm.Select[int64](ctx, below(1400), query.Count())
		if db.Server().Product == "MySQL" {
			require.Error(t, err, "cte_max_recursion_depth")
		} else {
			require.NoError(t, err)
			require.Equal(t, []int64{1401}, deep)
		}
	})
}

func TestS36_Windows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		byUser := query.Partition(F("user_id")).OrderBy("-index")
		type row struct {
			Index, Rn, Rk, Dr, Nt int
			Prev, Next            *int
			First, Last           int
			Total                 int64
			Running               int64
			Mean                  float64
		}
		got, err := orm.Select[row](ctx, audio.OrderBy("index"), F("index"), query.RowNumber().Over(byUser).As("rn"),
			query.Rank().Over(query.Partition().OrderBy("user_id")).As("rk"), query.DenseRank().Over(query.Partition().OrderBy("user_id")).As("dr"),
			query.Ntile(2).Over(query.Partition().OrderBy("index")).As("nt"),
			query.Lag(F("index"), 1).Over(byUser).As("prev"), query.Lead(F("index"), 2).Over(byUser).As("next"),
			query.FirstValue(F("index")).Over(byUser).As("first"), query.LastValue(F("index")).Over(byUser.Rows(query.Unbounded, query.Unbounded)).As("last"),
			query.Sum(F("index")).Over(query.Partition(F("user_id"))).As("total"),
			query.Sum(F("index")).Over(query.Partition().OrderBy("index").Rows(-1, 1)).As("running"),
			query.Avg(F("index")).Over(query.Partition(F("user_id"))).As("mean"))
		require.NoError(t, err)
		one, two, three := 1, 2, 3
		_ = two
		require.Equal(t, row{Index: 0, Rn: 4, Rk: 1, Dr: 1, Nt: 1, Prev: &one, First: 3, Last: 0, Total: 6, Running: 1, Mean: 1.5}, got[0])
		require.Equal(t, row{Index: 2, Rn: 2, Rk: 1, Dr: 1, Nt: 1, Prev: &three, Next: new(int), First: 3, Last: 0, Total: 6, Running: 6, Mean: 1.5}, got[2])
		require.Equal(t, row{Index: 6, Rn: 1, Rk: 7, Dr: 3, Nt: 2, First: 6, Last: 6, Total: 6, Running: 11, Mean: 6}, got[6])

		// Of each user the last row: filtered around.
		numbered := query.Select(audio, F("index"), query.RowNumber().Over(byUser).As("rn"))
		last, err := orm.Select[int](ctx, numbered.Filter(F("rn").Eq(1)).OrderBy("index"), F("index"))
		require.NoError(t, err)
		require.Equal(t, []int{3, 5, 6}, last)
		// Over groups.
		ranked, err := orm.Select[struct{ UserID, N, Place int64 }](ctx, audio.GroupBy("user_id").OrderBy("place"), F("user_id"), query.Count().As("n"),
			query.Rank().Over(query.Partition().OrderByExpr(query.Count().Desc())).As("place"))
		require.NoError(t, err)
		require.Equal(t, []struct{ UserID, N, Place int64 }{{7, 4, 1}, {8, 2, 2}, {9, 1, 3}}, ranked)
		share, err := orm.Select[int64](ctx, audio.GroupBy("user_id").OrderBy("user_id"), query.Sum(query.Count()).Over(query.Window{}))
		require.NoError(t, err)
		require.Equal(t, []int64{7, 7, 7}, share)
		_, err = orm.Select[int64](ctx, audio, query.Count().Over(query.Partition().OrderBy("user_id").Groups(-1, 0)))
		if db.Server().Can(dialect.FrameGroups) {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		}
		for want, e := range map[string]query.Expr{
			"is computed over a window: say which with Over": query.RowNumber(),
			"needs an order":                               query.RowNumber().Over(query.Window{}),
			"Over follows an aggregate":                    F("index").Over(query.Window{}),
			"ends before it begins":                        query.Count().Over(query.Partition().OrderBy("id").Rows(1, -1)),
			"no server counts different":                   query.CountDistinct(F("index")).Over(query.Window{}),
			"needs one part at least":                      query.Ntile(0).Over(byUser),
			"a frame of a range of values":                 query.Count().Over(byUser.Range(-2, 0)),
			"a function over a window stands in what":      query.Sum(query.RowNumber().Over(byUser)).Over(query.Window{}),
			`Audio: field "index" has several values in a`: query.Max(F("index")).Add(F("index")),
		} {
			_, err := orm.Select[int64](ctx, audio, e)
			require.ErrorContains(t, err, want)
		}
	})
}
