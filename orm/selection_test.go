package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

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
			"Over a window is an aggregate":                F("index").Over(query.Window{}),
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
