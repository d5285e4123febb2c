package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// shelf has columns that are narrower than what is computed from them.
type shelf struct {
	bun.BaseModel `bun:"table:shelf"`
	ID            int32 `bun:",pk,autoincrement"`
	ParentID      *int32
	Name          string `bun:"type:varchar(8)"`
	Level         int16
	Share         float32
	Price         string    `bun:"type:decimal(6,2)"`
	At            time.Time `bun:"type:timestamp(0)"`
}

func shelves(ctx context.Context, t *testing.T, db *orm.DB) func(first, step query.Expr) query.Selection {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*shelf)(nil)))
	all := orm.Objects[shelf](db)
	one, two := int32(1), int32(2)
	require.NoError(t, all.BulkCreate(ctx, []*shelf{
		{ID: 1, Name: "everyone", Level: 32000, Share: 0.5, Price: "1.50", At: start}, {ID: 2, ParentID: &one, Name: "children", Level: 3, Share: 0.25, Price: "2.25", At: start}, {ID: 3, ParentID: &two, Name: "a", Level: 5, Share: 0.25, Price: "0.10", At: start},
	}))
	return func(first, step query.Expr) query.Selection {
		return query.Recursive("tree", query.Select(all.Filter(F("parent_id").IsNull()), F("id"), first.As("its"), query.Value(1).As("depth")), func(self query.Selection) query.Query {
			return query.Select(all.Join("up", self, F("parent_id").Eq(F("up.id"))), F("id"), step.As("its"), F("up.depth").Add(1).As("depth"))
		}).OrderBy("depth")
	}
}

// The first rows say of what type the others are: MySQL and MariaDB would cut those to it, and
// PostgreSQL refuse them.
func TestS35_RowsThatFollowAreNotCut(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		tree := shelves(ctx, t, db)
		for _, first := range []query.Expr{F("name"), query.Value("everyone"), query.Trim(F("name")), query.Cast[string](query.Value("everyone"))} {
			paths := tree(first, query.Concat(F("up.its"), "/", F("name")))
			texts, err := orm.Select[string](ctx, paths, F("its"))
			require.NoError(t, err)
			require.Equal(t, []string{"everyone", "everyone/children", "everyone/children/a"}, texts)
			n, err := orm.Select[int64](ctx, paths.OrderBy().Filter(F("its").Contains("/"), F("its").IContains("CHILD")), query.Count())
			require.NoError(t, err)
			require.Equal(t, []int64{2}, n)
		}
		for _, first := range []query.Expr{F("level"), query.Value(32000), F("level").Add(0)} {
			numbers, err := orm.Select[int64](ctx, tree(first, F("up.its").Mul(1_000_000)), F("its"))
			require.NoError(t, err)
			require.Equal(t, []int64{32000, 32_000_000_000, 32_000_000_000_000_000}, numbers)
		}
		for _, first := range []query.Expr{F("share"), query.Value(0.5)} {
			shares, err := orm.Select[float64](ctx, tree(first, F("up.its").Div(3)), F("its"))
			require.NoError(t, err)
			require.Equal(t, []float64{0.5, 0.5 / 3, 0.5 / 3 / 3}, shares)
		}
		for _, first := range []query.Expr{F("at"), query.Value(start)} {
			times, err := orm.Select[time.Time](ctx, tree(first, F("up.its").Add(1500*time.Millisecond)), F("its"))
			require.NoError(t, err)
			require.Equal(t, []time.Time{start, start.Add(1500 * time.Millisecond), start.Add(3 * time.Second)}, times)
		}
		sums, err := orm.Select[string](ctx, tree(F("price"), F("up.its").Add(F("price"))), F("its"))
		if db.Server().Engine == dialect.SQLite {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			return
		}
		require.NoError(t, err)
		require.Equal(t, []string{"1.50", "3.75", "3.85"}, sums)
	})
}

func TestS35_RecursionOfTwoKinds(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		tree := shelves(ctx, t, db)
		for name, c := range map[string][2]query.Expr{
			"a fraction of a whole number": {query.Value(1), F("up.its").Mul(0.5)}, "a whole number behind a fraction": {query.Value(1.0), query.Length(F("name"))},
		} {
			_, err := orm.Select[float64](ctx, tree(c[0], c[1]), F("its"))
			require.ErrorAs(t, err, new(*query.FieldError), name)
		}
		if db.Server().Engine != dialect.SQLite {
			_, err := orm.Select[string](ctx, tree(F("price"), F("up.its").Mul(F("price"))), F("its"))
			require.ErrorContains(t, err, "has more decimal places in the step than in its beginning")
		}
	})
}

// SQLite keeps the whole ones whole, and divides them so.
func TestS34_WholeAndFloatingNumbersAreNotPutTogether(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		shelves(ctx, t, db)
		all := orm.Objects[shelf](db)
		whole, share := query.Select(all, F("level").As("its")), query.Select(all, F("share").As("its"))
		for _, q := range []query.Selection{query.UnionAll(whole, share), query.Union(share, whole), query.Except(whole, share)} {
			_, err := orm.Select[float64](ctx, q, F("its"))
			require.ErrorAs(t, err, new(*query.FieldError))
		}
		both := query.UnionAll(query.Select(all.Filter(F("id").Eq(3)), query.Cast[float64](F("level")).As("its")), query.Select(all.Filter(F("id").Eq(1)), F("share").As("its")))
		halves, err := orm.Select[float64](ctx, both.OrderBy("its"), F("its").Div(2).As("half"))
		require.NoError(t, err)
		require.Equal(t, []float64{0.25, 2.5}, halves)
	})
}

// A text that no column stands behind has a collation of its own on MySQL and MariaDB, which
// stood against that of the pattern.
func TestS10_PatternsOfTextsThatOthersPutOut(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		shelves(ctx, t, db)
		all := orm.Objects[shelf](db)
		for name, e := range map[string]query.Expr{
			"a value": query.Value("Child"), "a number as a text": query.Concat("Child", query.Cast[string](F("id"))), "chosen": query.Case().When(F("id").Gt(0), "Child").Else("x"), "in place of NULL": query.Coalesce(query.NullIf(F("name"), F("name")), query.Value("Child")),
		} {
			out := query.Select(all, F("id"), e.As("its"))
			for _, q := range []query.Selection{out.Filter(), query.With("texts", out).Filter(), query.UnionAll(out, query.Select(all.Filter(F("id").Lt(0)), F("id"), F("name"))).Filter()} {
				for what, c := range map[string]query.Cond{"Contains": F("its").Contains("hil"), "IContains": F("its").IContains("CHIL"), "Like": F("its").Like("_hil%"), "of a function": query.Lower(F("its")).StartsWith("chi")} {
					n, err := orm.Select[int64](ctx, q.Filter(c), query.Count())
					require.NoError(t, err, "%s: %s", name, what)
					require.Equal(t, []int64{3}, n, "%s: %s", name, what)
				}
				n, err := orm.Select[int64](ctx, q.Filter(F("its").Contains("HIL")), query.Count())
				require.NoError(t, err, name)
				require.Equal(t, []int64{0}, n, name)
			}
		}
	})
}
