package orm_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Item struct {
	models.AutoID
	N int64
	M *int64
	S string
	P *string
	B bool
	T time.Time
}

// rule is a condition twice: for the server, and in Go.
type rule struct {
	cond  query.Cond
	holds func(*Item) bool
}

// Generators are made afresh for each use: they cannot be shared by parallel
// tests.
func smallInts() *rapid.Generator[int64] { return rapid.Int64Range(-3, 3) }

// strs has everything that one engine or the other takes for a wildcard, an
// escape or a quote, and no letters whose case depends on the server's locale.
func strs() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom([]rune(`aAbB%_!*?[]^\'"-한 `)), 0, 4, -1)
}

func times(t *rapid.T) time.Time {
	return start.Add(time.Duration(smallInts().Draw(t, "µs")) * time.Microsecond)
}

func items(t *rapid.T) []*Item {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *Item {
		return &Item{
			N: smallInts().Draw(t, "N"), M: rapid.Ptr(smallInts(), true).Draw(t, "M"),
			S: strs().Draw(t, "S"), P: rapid.Ptr(strs(), true).Draw(t, "P"),
			B: rapid.Bool().Draw(t, "B"), T: times(t),
		}
	}), 0, 12).Draw(t, "items")
}

// compare is a comparison of numbers; nil is less than nothing and greater than
// nothing, and equals only nil.
func compare(t *rapid.T, e query.Expr, get func(*Item) *int64) rule {
	v := smallInts().Draw(t, "v")
	test := func(ok func(int64) bool) func(*Item) bool {
		return func(it *Item) bool { n := get(it); return n != nil && ok(*n) }
	}
	list := rapid.SliceOfN(rapid.Ptr(smallInts(), true), 0, 3).Draw(t, "list")
	in := func(it *Item) bool {
		n := get(it)
		return slices.ContainsFunc(list, func(v *int64) bool { return n == nil && v == nil || n != nil && v != nil && *n == *v })
	}
	switch rapid.IntRange(0, 10).Draw(t, "operator") {
	case 0:
		return rule{e.Eq(v), test(func(n int64) bool { return n == v })}
	case 1:
		return rule{e.Ne(v), func(it *Item) bool { n := get(it); return n == nil || *n != v }}
	case 2:
		return rule{e.Lt(v), test(func(n int64) bool { return n < v })}
	case 3:
		return rule{e.Le(v), test(func(n int64) bool { return n <= v })}
	case 4:
		return rule{e.Gt(v), test(func(n int64) bool { return n > v })}
	case 5:
		return rule{e.Ge(v), test(func(n int64) bool { return n >= v })}
	case 6:
		return rule{e.Between(v, v+1), test(func(n int64) bool { return n >= v && n <= v+1 })}
	case 7:
		return rule{e.IsNull(), func(it *Item) bool { return get(it) == nil }}
	case 8:
		return rule{e.IsNotNull(), func(it *Item) bool { return get(it) != nil }}
	case 9:
		return rule{e.In(list), in}
	default:
		return rule{e.NotIn(list), func(it *Item) bool { return !in(it) }}
	}
}

func matches(t *rapid.T, e query.Expr, get func(*Item) *string) rule {
	v := strs().Draw(t, "s")
	test := func(ok func(string) bool) func(*Item) bool {
		return func(it *Item) bool { s := get(it); return s != nil && ok(*s) }
	}
	switch rapid.IntRange(0, 6).Draw(t, "operator") {
	case 0:
		return rule{e.Eq(v), test(func(s string) bool { return s == v })}
	case 1:
		return rule{e.Ne(v), func(it *Item) bool { s := get(it); return s == nil || *s != v }}
	case 2:
		return rule{e.Contains(v), test(func(s string) bool { return strings.Contains(s, v) })}
	case 3:
		return rule{e.StartsWith(v), test(func(s string) bool { return strings.HasPrefix(s, v) })}
	case 4:
		return rule{e.EndsWith(v), test(func(s string) bool { return strings.HasSuffix(s, v) })}
	case 5:
		return rule{e.IContains(v), test(func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(v)) })}
	default:
		escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(v)
		return rule{e.Like("%" + escaped + "_"), test(func(s string) bool {
			runes := []rune(s)
			return len(runes) > 0 && strings.HasSuffix(string(runes[:len(runes)-1]), v)
		})}
	}
}

func rules(t *rapid.T, depth int) rule {
	leaf := func() rule {
		switch rapid.IntRange(0, 8).Draw(t, "column") {
		case 0:
			return compare(t, F("n"), func(it *Item) *int64 { return &it.N })
		case 1:
			return compare(t, F("m"), func(it *Item) *int64 { return it.M })
		case 2:
			by := smallInts().Draw(t, "by")
			return compare(t, F("m").Mul(by).Add(F("n")), func(it *Item) *int64 {
				if it.M == nil {
					return nil
				}
				n := *it.M*by + it.N
				return &n
			})
		case 3:
			return matches(t, F("s"), func(it *Item) *string { return &it.S })
		case 4:
			return matches(t, F("p"), func(it *Item) *string { return it.P })
		case 5:
			b := rapid.Bool().Draw(t, "b")
			return rule{F("b").Eq(b), func(it *Item) bool { return it.B == b }}
		case 6:
			at := times(t)
			return rule{F("t").Gt(at), func(it *Item) bool { return it.T.After(at) }}
		case 7:
			return rule{F("n").Lt(F("m")), func(it *Item) bool { return it.M != nil && it.N < *it.M }}
		default:
			return rule{F("n").Ne(F("m")), func(it *Item) bool { return it.M == nil || it.N != *it.M }}
		}
	}
	if depth == 0 {
		return leaf()
	}
	part := func() rule { return rules(t, depth-1) }
	switch rapid.IntRange(0, 3).Draw(t, "shape") {
	case 0:
		a, b := part(), part()
		return rule{query.And(a.cond, b.cond), func(it *Item) bool { return a.holds(it) && b.holds(it) }}
	case 1:
		a, b := part(), part()
		return rule{query.Or(a.cond, b.cond), func(it *Item) bool { return a.holds(it) || b.holds(it) }}
	case 2:
		a := part()
		return rule{query.Not(a.cond), func(it *Item) bool { return !a.holds(it) }}
	}
	return leaf()
}

func TestFiltersKeepWhatGoWouldKeep(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Item)(nil)))
		all := orm.Objects[Item](db)
		rapid.Check(t, func(t *rapid.T) {
			rows := items(t)
			_, err := all.Delete(ctx)
			require.NoError(t, err)
			require.NoError(t, all.BulkCreate(ctx, rows))
			for i := range 5 {
				r := rules(t, 3)
				var kept, dropped []int64
				for _, it := range rows {
					if r.holds(it) {
						kept = append(kept, it.ID)
					} else {
						dropped = append(dropped, it.ID)
					}
				}
				for name, c := range map[string]struct {
					q    orm.QuerySet[Item]
					want []int64
				}{"Filter": {all.Filter(r.cond), kept}, "Exclude": {all.Exclude(r.cond), dropped}} {
					got, err := c.q.OrderBy("id").All(ctx)
					require.NoError(t, err)
					text, args, _ := c.q.SQL(ctx)
					require.ElementsMatch(t, c.want, ids(got), fmt.Sprintf("%s %d: %s %v", name, i, text, args))
				}
			}
		})
	})
}

func ids(rows []*Item) []int64 {
	list := make([]int64, len(rows))
	for i, r := range rows {
		list[i] = r.ID
	}
	return list
}
