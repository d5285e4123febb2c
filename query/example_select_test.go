package query_test

import (
	"fmt"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Outputs have names, which OrderBy and a Selection around know.
func ExampleSelect() {
	ctx, all := tickets()
	named := func(e query.Expr) query.Output { return e.As("score") }
	score := query.Select(all, query.F("title"), named(query.F("votes").Mul(query.F("priority"))))
	list, err := orm.Select[struct {
		Title string
		Score int
	}](ctx, score.Filter(query.F("score").Gt(6)).OrderBy("-score").Limit(2))
	fmt.Println(list, err)
	// Output: [{crash on exit 18} {Crash at 100% 7}] <nil>
}

func ExampleSelection_GroupBy() {
	ctx, all := tickets()
	urgent := query.Select(all, query.F("votes"), query.Coalesce(query.F("assignee"), query.Value("nobody")).As("who"))
	per := query.Select(urgent.GroupBy("who").Having(query.Count().Gt(1)), query.F("who"), query.Sum(query.F("votes")).As("votes_of_all"))
	list, err := orm.Select[struct {
		Who        string
		VotesOfAll int
	}](ctx, per.OrderByExpr(query.F("who").Asc()).Distinct().Offset(0))
	fmt.Println(list, err)
	// Output: [{nobody 11}] <nil>
}

// A sub-select names columns of the row around it by Outer.
func ExampleOuter() {
	ctx, all := tickets()
	better := all.Filter(query.F("votes").Gt(query.Outer("votes")))
	show(ctx, all.Filter(query.Not(query.Exists(better))))
	// Output: crash on exit
}

func ExampleExpr_In() {
	ctx, all := tickets()
	first := query.Select(all.OrderBy("-votes").Limit(2), query.F("id"))
	show(ctx, all.Filter(query.F("id").In(first)))
	// Output:
	// Crash at 100%
	// crash on exit
}

// A sub-select is a value, which can be calculated with and named.
func ExampleSelection_Expr() {
	ctx, all := tickets()
	ahead := query.Select(all.Filter(query.F("votes").Gt(query.Outer("votes"))), query.Count())
	list, err := orm.Select[struct {
		Title string
		Place int
	}](ctx, all.OrderBy("place"), query.F("title"), ahead.Expr().Add(1).As("place"))
	fmt.Println(list, err)
	// Output: [{crash on exit 1} {Crash at 100% 2} {Wrong colour 3}] <nil>
}

// A join puts the rows of another query beside each row.
func ExampleSelection_Join() {
	ctx, all := tickets()
	own := query.Select(all, query.F("id"), query.F("title"))
	most := query.Select(all, query.Max(query.F("id")).As("last"))
	for _, q := range []query.Selection{
		own.Join("most", most, query.F("id").Eq(query.F("most.last"))),
		own.LeftJoin("most", most, query.F("id").Eq(query.F("most.last"))),
	} {
		list, err := orm.Select[string](ctx, query.Select(q, query.F("title")))
		fmt.Println(len(list), err)
	}
	// Output:
	// 1 <nil>
	// 3 <nil>
}

func ExampleUnion() {
	ctx, all := tickets()
	loud := query.Select(all.Filter(query.F("votes").Gt(5)), query.F("priority"))
	late := query.Select(all.Filter(query.F("priority").Gt(1)), query.F("priority"))
	for _, q := range []query.Selection{
		query.Union(loud, late), query.UnionAll(loud, late), query.Intersect(loud, late), query.Except(loud, late),
	} {
		list, err := orm.Select[int](ctx, q.OrderBy("priority"))
		fmt.Println(list, err)
	}
	// Output:
	// [1 2 3] <nil>
	// [1 2 2 3] <nil>
	// [2] <nil>
	// [1] <nil>
}

// A query that is read twice stands once in the statement.
func ExampleWith() {
	ctx, all := tickets()
	votes := query.With("votes", query.Select(all, query.F("title"), query.F("votes").As("n")))
	most := votes.Filter(query.F("n").Eq(query.Select(votes, query.Max(query.F("n")))))
	list, err := orm.Select[string](ctx, most, query.F("title"))
	fmt.Println(list, err)
	// Output: [crash on exit] <nil>
}

func ExampleRecursive() {
	ctx, all := tickets()
	chain := query.Recursive("chain", query.Select(all.Filter(query.F("id").Eq(1)), query.F("id"), query.F("title")),
		func(self query.Selection) query.Query {
			return query.Select(all.OrderBy().Join("before", self, query.F("id").Eq(query.F("before.id").Add(1))), query.F("id"), query.F("title"))
		})
	list, err := orm.Select[string](ctx, chain.OrderBy("id"), query.F("title"))
	fmt.Println(list, err)
	// Output: [Crash at 100% crash on exit Wrong colour] <nil>
}

func ExampleExpr_Over() {
	ctx, all := tickets()
	byVotes := query.Partition().OrderBy("-votes")
	for _, e := range []query.Expr{
		query.RowNumber().Over(byVotes),
		query.Rank().Over(byVotes),
		query.DenseRank().Over(byVotes),
		query.Ntile(2).Over(byVotes),
		query.Coalesce(query.Lag(query.F("votes"), 1).Over(byVotes), query.Value(0)),
		query.Coalesce(query.Lead(query.F("votes"), 1).Over(byVotes), query.Value(0)),
		query.FirstValue(query.F("votes")).Over(byVotes),
		query.LastValue(query.F("votes")).Over(byVotes.Rows(query.Unbounded, query.Unbounded)),
		query.Sum(query.F("votes")).Over(byVotes.Rows(-1, 0)),
		query.Sum(query.F("votes")).Over(byVotes.Range(query.Unbounded, 0)),
	} {
		list, err := orm.Select[int](ctx, all, e)
		fmt.Println(list, err)
	}
	// Output:
	// [2 1 3] <nil>
	// [2 1 3] <nil>
	// [2 1 3] <nil>
	// [1 1 2] <nil>
	// [9 0 7] <nil>
	// [2 7 0] <nil>
	// [9 9 9] <nil>
	// [2 2 2] <nil>
	// [16 9 9] <nil>
	// [16 9 18] <nil>
}

// Not every server counts groups.
func ExampleWindow_Groups() {
	ctx, all := tickets()
	near := query.Count().Over(query.Partition().OrderByExpr(query.F("priority").Asc()).Groups(-1, 1))
	list, err := orm.Select[int](ctx, all, near)
	fmt.Println(list, err)
	mariadb := dialect.Server{Engine: dialect.MariaDB, Product: "MariaDB", Version: dialect.Version{Major: 11, Minor: 8}}
	fmt.Println(mariadb.Can(dialect.Window), mariadb.Can(dialect.FrameGroups))
	// Output:
	// [2 3 2] <nil>
	// true false
}
