package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

		// Columns by the names with which they are put out.
		renamed, err := orm.Select[struct {
			Project string
			Who     int64
			N       int64
		}](ctx, audio.GroupBy("project", "who").Having(F("who").Gt(7)).OrderBy("project", "-who"),
			F("project.name").As("project"), F("user_id").As("who"), query.Count().As("n"))
		require.NoError(t, err)
		require.Len(t, renamed, 2)
		require.EqualValues(t, 9, renamed[0].Who)
		require.EqualValues(t, 2, renamed[1].N)
		whos, err := orm.Select[int64](ctx, audio.Distinct().OrderBy("-who"), F("user_id").As("who"))
		require.NoError(t, err)
		require.Equal(t, []int64{9, 8, 7}, whos)
		negated, err := orm.Select[int64](ctx, audio.OrderByExpr(F("who").Neg().Asc()).Limit(1), F("user_id").As("who"))
		require.NoError(t, err)
		require.Equal(t, []int64{9}, negated)
		mean, err := orm.Select[float64](ctx, audio, query.Sum(F("index")).Div(2.0))
		require.NoError(t, err)
		require.Equal(t, []float64{10.5}, mean, "a sum of whole numbers by a floating-point number")

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
		_, err = orm.Select[struct{ Text int }](ctx, audio, F("text"))
		require.EqualError(t, err, `orm: Select: field "text" is an integer, and what is put out for it is text`)
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
