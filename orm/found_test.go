package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// What the random queries of tests/queries have found, one by one.

// For SQL an aggregate that names columns around its sub-select alone is computed over
// the rows around.
func TestS32_AnAggregateIsOfItsOwnSubSelect(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio, projects := orm.Objects[Audio](db), orm.Objects[Project](db)
		its := audio.Filter(F("project_id").Eq(query.Outer("id")))
		for name, c := range map[string]struct {
			of   query.Operand
			want []int64 // of Empty and of Radio
		}{
			"Max":       {query.Max(query.Outer("id")), []int64{0, 1}},
			"Where":     {query.Count().Where(query.Outer("name").Eq("Radio")), []int64{0, 7}},
			"StringAgg": {query.Length(query.StringAgg(query.Outer("name"), "")), []int64{0, 35}},
			"read from": {query.Max(query.Outer("id")), []int64{0, 1}},
		} {
			var q query.Query = its
			if name == "read from" {
				q = query.Select(audio, F("project_id")).Filter(F("project_id").Eq(query.Outer("id")))
			}
			got, err := orm.Select[int64](ctx, projects.OrderBy("name"), query.Coalesce(query.Select(q, c.of).Expr(), query.Value(0)).As("value"))
			require.NoError(t, err, name)
			require.Equal(t, c.want, got, name)
		}
	})
}

// NULL stands where the order says, for the pages too.
func TestS44_PagesWithNullsWhereTheyAreTold(t *testing.T) {
	withEntries(t, 40, func(t *testing.T, ctx context.Context, db *orm.DB) {
		rank, seen := F("rank"), F("seen")
		for name, o := range map[string][]query.Order{
			"asc last":   {rank.Asc().NullsLast()},
			"desc first": {rank.Desc().NullsFirst()},
			"both":       {rank.Desc().NullsFirst(), seen.Asc().NullsLast()},
			"mixed":      {F("group").Asc(), seen.Asc().NullsLast(), rank.Desc().NullsFirst()},
		} {
			all := orm.Objects[Entry](db).OrderByExpr(o...)
			whole, err := all.After(nil).All(ctx)
			require.NoError(t, err, name)
			require.Len(t, whole, 40)
			var forward, backward []int64
			cursor := ""
			for {
				page, err := all.AfterCursor(cursor).Limit(7).All(ctx)
				require.NoError(t, err, name)
				if len(page) == 0 {
					break
				}
				forward = append(forward, keysOf(page)...)
				cursor, err = all.Cursor(page[len(page)-1])
				require.NoError(t, err, name)
			}
			require.Equal(t, keysOf(whole), forward, name)
			for last := (*Entry)(nil); ; {
				page, err := all.Before(last).Limit(7).All(ctx)
				require.NoError(t, err, name)
				if len(page) == 0 {
					break
				}
				backward, last = append(keysOf(page), backward...), page[0]
			}
			require.Equal(t, keysOf(whole), backward, name)
			_, err = orm.Objects[Entry](db).OrderBy("rank").AfterCursor(cursor).All(ctx)
			require.ErrorIs(t, err, orm.ErrCursor, name)
		}
	})
}

// A number that is bound is a value, and not the place of a column.
func TestS57_AConstantOrdersNothing(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		got, err := orm.Select[int](ctx, audio.OrderByExpr(query.Value(1).Desc(), F("index").Asc()), F("index").As("value"))
		require.NoError(t, err)
		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6}, got)
		got, err = orm.Select[int](ctx, audio.OrderBy("index"), query.Count().Over(query.Partition(query.Value(1))).As("value"))
		require.NoError(t, err)
		require.Equal(t, []int{7, 7, 7, 7, 7, 7, 7}, got)
	})
}

func TestS57_AnAggregateOrdersWithNullWhereItIsTold(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		projects := orm.Objects[Project](db)
		type row struct {
			Name  string
			Owner *int64
		}
		for want, o := range map[string]query.Order{"Radio": F("owner").Asc().NullsLast(), "Empty": F("owner").Desc().NullsFirst()} {
			got, err := orm.Select[row](ctx, projects.GroupBy("name").OrderByExpr(o), F("name"), query.Max(F("owner_id")).As("owner"))
			require.NoError(t, err)
			require.Equal(t, want, got[0].Name)
		}
	})
}

func TestS56_TheMeanOfDifferentValues(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		mean, err := orm.Aggregate[float64](ctx, orm.Objects[Audio](db), query.Avg(F("index").Div(4)).Distinct())
		require.NoError(t, err)
		require.InDelta(t, 0.5, mean, 0)
	})
}

func TestS36_NoWindowGoesByWhatIsAround(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		audio := orm.Objects[Audio](db)
		for _, w := range []query.Window{query.Partition(query.Outer("name")).OrderBy("id"), query.Partition().OrderByExpr(query.Outer("name").Asc())} {
			_, err := orm.Objects[Project](db).Filter(F("id").In(query.Select(audio, query.RowNumber().Over(w)))).All(ctx)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		}
	})
}

// In HAVING MySQL and MariaDB look no further than the first column of a name that is
// grouped by.
func TestS30_GroupsOfColumnsOfTheSameName(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		q := orm.Objects[Project](db).GroupBy("name", "owner.name", "id", "owner.id").
			Having(F("name").Eq("Radio"), F("owner.name").Eq("Ada"), F("owner.id").Gt(0), F("id").Gt(0))
		got, err := orm.Select[int](ctx, q, query.Count())
		require.NoError(t, err)
		require.Equal(t, []int{1}, got)
	})
}

// All servers but PostgreSQL pass over DISTINCT in EXISTS, although OFFSET counts what it
// leaves.
func TestS32_ExistsOfDistinctRows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		projects := orm.Objects[Project](db)
		same := query.Select(orm.Objects[Audio](db), query.Outer("id")).Distinct().Limit(1)
		n, err := projects.Filter(query.Exists(same)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		_, err = projects.Filter(query.Exists(same.Offset(1))).Count(ctx)
		require.ErrorContains(t, err, "Exists of a query with Distinct and Offset")
	})
}

// MySQL passes over GROUP BY in EXISTS, although OFFSET counts groups.
func TestS32_ExistsOfGroups(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		groups := query.Select(orm.Objects[Audio](db).GroupBy("project_id"), F("project_id")).Limit(1)
		_, err := orm.Objects[Project](db).Filter(query.Exists(groups)).Count(ctx)
		require.NoError(t, err)
		_, err = orm.Objects[Project](db).Filter(query.Exists(groups.Offset(1))).Count(ctx)
		require.ErrorContains(t, err, "Exists of a query with GroupBy and Offset")
	})
}

// A union of whole numbers and a sum of them is whole.
func TestS50_AUnionWithASumDividesWhole(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		both := query.Union(query.Select(audio, query.Value(7).As("n")), query.Select(audio, query.Sum(F("index")).As("n")))
		_, err := orm.Select[int64](ctx, query.Select(both, F("n")), F("n").Div(2).As("value"))
		require.NoError(t, err)
		_, err = orm.Select[int64](ctx, query.Select(both, F("n")), F("n").Mod(2).As("value"))
		require.NoError(t, err)
	})
}

// MySQL takes no window in what IN looks in.
func TestS32_InOverASubSelectWithAWindow(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db)
		first := query.Select(audio, query.Rank().Over(query.Window{}.OrderBy("id")))
		n, err := audio.Filter(query.Value(1).In(first)).Count(ctx)
		require.NoError(t, err)
		all, err := audio.Count(ctx)
		require.NoError(t, err)
		require.Equal(t, all, n)
	})
}

// A constant that is noted of each row orders nothing: it is no number of a column.
func TestS57_ANotedConstantOrdersNothing(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		rows, err := orm.Objects[annotated](db).Annotate("rows", query.Value(2)).OrderBy("rows", "-id").All(ctx)
		require.NoError(t, err)
		for i := 1; i < len(rows); i++ {
			require.Greater(t, rows[i-1].ID, rows[i].ID)
		}
	})
}

// MySQL and MariaDB take a constant for itself where a LEFT JOIN has found no row, if they
// merge the sub-select that puts it out.
func TestS35_WhatALeftJoinDoesNotFindIsNULL(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		projects := orm.Objects[Project](db)
		radio := query.Select(projects.Filter(F("name").Eq("Radio")), F("id"), query.Value(-1).As("one"))
		all := projects.LeftJoin("found", radio, F("id").Eq(F("found.id")))
		for name, c := range map[string]query.Cond{"not NULL": F("found.one").IsNotNull(), "equal": F("found.one").Eq(-1), "computed": query.Abs(F("found.one")).Eq(1)} {
			got, err := orm.Select[string](ctx, all.Filter(c), F("name"))
			require.NoError(t, err, name)
			require.Equal(t, []string{"Radio"}, got, name)
		}
		lag := query.Lag(F("found.one"), 0).Over(query.Window{}.OrderBy("id"))
		got, err := orm.Select[struct {
			Name string
			One  *int64
		}](ctx, all.OrderBy("name"), F("name"), lag.As("one"))
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Nil(t, got[0].One, got[0].Name)
		require.EqualValues(t, -1, *got[1].One)
		named := query.With("radio", radio)
		n, err := projects.LeftJoin("found", named, F("id").Eq(F("found.id"))).Filter(F("found.one").IsNotNull()).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

// MariaDB leaves the texts of groups in twice.
func TestS56_DistinctTextsOfGroups(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		texts := query.Select(orm.Objects[Project](db).GroupBy("id"), query.StringAgg(query.Value("ab"), "").As("text"))
		got, err := orm.Select[string](ctx, texts.Distinct())
		if db.Server().Engine == dialect.MariaDB {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		} else {
			require.NoError(t, err)
			require.Equal(t, []string{"ab"}, got)
		}
		got, err = orm.Select[string](ctx, query.Select(texts, F("text")).Distinct())
		require.NoError(t, err)
		require.Equal(t, []string{"ab"}, got)
	})
}

// MariaDB before 10.5.26 and 10.11.9 takes such frames with one key only, that is a number.
func TestS36_RangesOfAnyKeys(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		audio := orm.Objects[Audio](db).OrderBy("index")
		for name, w := range map[string]query.Window{"two": query.Partition().OrderBy("user_id", "index"), "a text": query.Partition().OrderBy("text", "index")} {
			whole := query.Count().Over(w.Range(query.Unbounded, query.Unbounded))
			so, err := orm.Select[struct{ N, Whole, Place int64 }](ctx, audio, query.Count().Over(w.Range(query.Unbounded, 0)).As("n"), whole.As("whole"), query.RowNumber().Over(w).As("place"))
			require.NoError(t, err, name)
			require.Len(t, so, 7, name)
			for _, row := range so {
				require.Equal(t, row.Place, row.N, name)
				require.EqualValues(t, 7, row.Whole, name)
			}
		}
		for _, frame := range [][2]int{{query.Unbounded, 0}, {0, 0}, {0, query.Unbounded}} { // without an order all rows are equal
			n, err := orm.Select[int64](ctx, audio, query.Count().Over(query.Partition().Range(frame[0], frame[1])))
			require.NoError(t, err, frame)
			require.Equal(t, []int64{7, 7, 7, 7, 7, 7, 7}, n, frame)
		}
	})
}
