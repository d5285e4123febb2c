package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// MySQL and MariaDB compare texts that no column stands behind as the connection says: "a"
// would be "A", "ä" and "a ".
func TestS10_TextsByThemselvesCompareByTheirCharacters(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		all := orm.Objects[Project](db)
		one := all.Filter(F("name").Eq("Radio"))
		v := func(s string) query.Expr { return query.Value(s) }
		either := func(a, b string) query.Expr { return query.Case().When(F("name").Eq("Radio"), a).Else(b) }
		for name, c := range map[string]query.Cond{
			"letters": v("a").Eq("A"), "accents": v("a").Eq("ä"), "blanks": v("a").Eq("a "), "order": v("a").Lt("B"), "In": v("a").In("A", "b"),
			"In a query": v("a").In(query.Select(one, v("A"))), "Case": either("a", "b").Eq("A"), "Case of Value": query.Case().When(F("id").Gt(0), v("a")).Else(v("b")).Eq("A"),
			"NullIf": query.NullIf(v("a"), "A").IsNull(), "Least": query.Least("a", "B").Eq("a"), "Coalesce": query.Coalesce(query.NullIf(v("q"), "q"), v("a")).Eq("A"),
			"Upper": query.Upper(v("a")).Eq("a"), "Concat": query.Concat("a", "b").Eq("AB"), "Concat of Value": query.Concat(v("a"), v("b")).Eq("AB"),
			"Substr": query.Substr(v("abc"), 1, 1).Eq("A"), "Cast": query.Cast[string](query.Value(1)).Eq("1 "), "Like": v("a").Like("A"),
			"put out":         query.Exists(query.Select(query.Select(one, v("a").As("t")), F("t")).Filter(F("t").Eq("A"))),
			"beside a column": query.Concat(F("name"), v("x")).Eq("RADIOX"), "Case of a column": query.Case().When(F("id").Gt(0), query.Lower(F("name"))).Else("b").Eq("RADIO"),
		} {
			n, err := one.Filter(c).Count(ctx)
			require.NoError(t, err, name)
			require.Zero(t, n, name)
			n, err = one.Filter(query.Not(c)).Count(ctx)
			require.NoError(t, err, name)
			require.EqualValues(t, 1, n, name)
		}
		got, err := orm.Select[string](ctx, query.Union(query.Select(one, v("a").As("t")), query.Select(one, v("A").As("t")), query.Select(one, v("a ").As("t"))))
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"a", "A", "a "}, got, "Union")
		got, err = orm.Select[string](ctx, query.Select(all, either("a", "A").As("t")).Distinct())
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"a", "A"}, got, "Distinct")
		n, err := orm.Select[int64](ctx, query.Select(query.Select(all, either("a", "A").As("t")).GroupBy("t"), query.Count().As("n")))
		require.NoError(t, err)
		require.Equal(t, []int64{1, 1}, n, "GroupBy")
	})
}
