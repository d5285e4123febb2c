package orm_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Cabinet has a document that may be NULL, and dossiers of its own.
type Cabinet struct {
	bun.BaseModel `bun:"table:cabinets"`
	models.AutoID
	Label string         `bun:",unique"`
	Doc   map[string]any `bun:"type:json"`
	Under *int64
	Upper *Cabinet   `bun:"rel:belongs-to,join:under=id"`
	Lower []*Cabinet `bun:"rel:has-many,join:id=under"`
}

var cabinetDoc = query.Column(func(s *Cabinet) *map[string]any { return &s.Doc })

func TestS58_PathsInStatements(t *testing.T) {
	eachWithPaths(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Cabinet)(nil)))
		all := orm.Objects[Cabinet](db)
		top := &Cabinet{Label: "top", Doc: map[string]any{"kind": "b", "n": 2, "deep": map[string]any{"x": 1}}}
		require.NoError(t, all.Create(ctx, top))
		require.NoError(t, all.BulkCreate(ctx, []*Cabinet{{Label: "one", Doc: map[string]any{"kind": "a", "n": 10}, Under: &top.ID},
			{Label: "two", Doc: map[string]any{"kind": "a", "n": -1}, Under: &top.ID}, {Label: "none"}}))
		labels := func(rows []*Cabinet, err error) (list []string) {
			t.Helper()
			require.NoError(t, err)
			for _, r := range rows {
				list = append(list, r.Label)
			}
			return list
		}
		require.Equal(t, []string{"none", "two", "top", "one"}, labels(all.OrderByExpr(F("doc").JSON("n").Int().Asc()).All(ctx)))
		require.Equal(t, []string{"one", "two", "top", "none"}, labels(all.OrderByExpr(cabinetDoc.JSON("kind").Text().Asc().NullsLast(), cabinetDoc.JSON("n").Float().Desc()).All(ctx)))
		require.Equal(t, []string{"one", "two"}, labels(all.Filter(F("upper.doc").JSON("kind").Eq("b")).OrderBy("id").All(ctx)))
		require.Equal(t, []string{"top"}, labels(all.Filter(query.Any("lower", F("doc").JSON("n").Int().Gt(5))).All(ctx)))
		require.Equal(t, []string{"top"}, labels(all.Filter(query.Exists(all.Filter(F("under").Eq(query.Outer("id")), F("doc").JSON("n").Int().Gt(query.Outer("doc").JSON("n").Int())))).All(ctx)))
		_, err := all.OrderByExpr(F("doc").JSON("n").Asc()).All(ctx)
		var value *query.ValueError
		require.ErrorAs(t, err, &value, "JSON has no order")

		type group struct {
			Kind *string
			N    int64
			Sum  int64
		}
		groups, err := orm.Select[group](ctx, all.GroupBy("kind").Having(query.Count().Gt(0)).OrderBy("-n"), F("doc").JSON("kind").Text().As("kind"), query.Count().As("n"),
			query.Coalesce(query.Cast[int64](query.Sum(F("doc").JSON("n").Int())), query.Value(0)).As("sum"))
		require.NoError(t, err)
		require.Len(t, groups, 3)
		require.Equal(t, "a", *groups[0].Kind)
		require.EqualValues(t, 2, groups[0].N)
		require.EqualValues(t, 9, groups[0].Sum)

		sub := query.Select(all, F("id"), F("doc").JSON("deep").As("deep"))
		type part struct {
			ID   int64
			Deep map[string]any
		}
		parts, err := orm.Select[part](ctx, sub.Filter(F("deep").JSON("x").Eq(1), F("deep").Eq(map[string]any{"x": 1})))
		require.NoError(t, err)
		require.Equal(t, []part{{top.ID, map[string]any{"x": 1.0}}}, parts)

		// Changes: in a column that is NULL, several at once, beside others.
		n, err := all.Update(ctx, cabinetDoc.JSON("a", "b", "c").Set(1), cabinetDoc.JSON("a", "b", "d").Set([]any{"x", nil}), cabinetDoc.JSON("a", "e").Set(nil),
			cabinetDoc.JSON("deep", "x").Remove(), cabinetDoc.JSON("n").Remove(), query.Set("label", query.Concat(F("label"), "!")))
		require.NoError(t, err)
		require.EqualValues(t, 4, n)
		made := map[string]any{"b": map[string]any{"c": 1.0, "d": []any{"x", nil}}, "e": nil}
		rows, err := all.OrderBy("id").All(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]any{"kind": "b", "deep": map[string]any{}, "a": made}, rows[0].Doc)
		require.Equal(t, map[string]any{"kind": "a", "a": made}, rows[1].Doc)
		require.Equal(t, map[string]any{"a": made}, rows[3].Doc)
		require.Equal(t, "none!", rows[3].Label)

		// One row in which something else is on the way is one too many.
		_, err = all.Filter(F("label").Eq("two!")).Update(ctx, cabinetDoc.JSON("a").Set("text"))
		require.NoError(t, err)
		_, err = all.Update(ctx, cabinetDoc.JSON("a", "b").Set(2))
		require.Error(t, err)
		after, err := all.OrderBy("id").All(ctx)
		require.NoError(t, err)
		require.Equal(t, rows[0].Doc, after[0].Doc)
		require.Equal(t, rows[1].Doc, after[1].Doc)
		require.Equal(t, map[string]any{"kind": "a", "a": "text"}, after[2].Doc)
		_, err = all.Filter(F("label").Eq("none!")).Update(ctx, query.Set("doc", nil))
		require.NoError(t, err)
		_, err = all.Filter(F("label").Eq("none!")).Update(ctx, cabinetDoc.JSON(0).Set(1))
		require.Error(t, err, "NULL has no positions")
		_, err = all.Filter(F("label").Eq("none!")).Update(ctx, cabinetDoc.JSON("x").Remove())
		require.NoError(t, err)
		require.Equal(t, []string{"none!"}, labels(all.Filter(F("doc").IsNull()).All(ctx)))

		changed, err := all.Filter(F("doc").JSON("a").Type().Eq("object")).OrderBy("id").UpdateReturning(ctx, cabinetDoc.JSON("a", "b").Remove())
		require.NoError(t, err)
		require.Len(t, changed, 2)
		require.Equal(t, map[string]any{"e": nil}, changed[1].Doc["a"])

		again := &Cabinet{Label: "none!", Doc: map[string]any{"new": true}}
		require.NoError(t, all.BulkCreate(ctx, []*Cabinet{again}, query.OnConflict("label").Set(cabinetDoc.JSON("seen").Set("twice"))))
		require.Equal(t, map[string]any{"seen": "twice"}, again.Doc)

		deep := make([]any, 30)
		for i := range deep {
			deep[i] = "k"
		}
		_, err = all.Filter(F("label").Eq("none!")).Update(ctx, cabinetDoc.JSON(deep...).Set(30))
		require.NoError(t, err)
		require.Equal(t, []string{"none!"}, labels(all.Filter(cabinetDoc.JSON(deep...).Eq(30)).All(ctx)))
	})
}

func TestS58_FloatsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 58)) //nolint:gosec // a test
	var list []float64
	for range 300 {
		f := math.Float64frombits(r.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			f = 0.1
		}
		list = append(list, f, r.Float64(), math.Round(r.Float64()*1e6)/100)
	}
	list = append(list, 5e-324, 2.2250738585072014e-308, 1.7976931348623155e308, math.Copysign(0, -1), 0.1+0.2, 9007199254740991.5, 1e21, 1e-7, 123456789012345680000)
	doc, err := json.Marshal(list)
	require.NoError(t, err)
	eachWithPaths(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		dossiers(ctx, t, db, string(doc))
		for i, f := range list {
			row, err := orm.Select[struct{ F float64 }](ctx, orm.Objects[Dossier](db), F("doc").JSON(i).Float().As("f"))
			require.NoError(t, err)
			require.Equal(t, f, row[0].F, i) //nolint:testifylint // exactly
		}
	})
}
