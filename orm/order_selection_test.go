package orm_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Columnist and Feuilleton: two relations lead from one table to the other.
type Columnist struct {
	bun.BaseModel `bun:"table:columnist"`
	ID            int64  `bun:",pk"`
	Name          string `bun:"type:varchar(40)"`
	Score         int64
	Twice         int64         `bun:",scanonly,nullzero"`
	Feuilletons   []*Feuilleton `bun:"rel:has-many,join:id=author_id"`
}

type Feuilleton struct {
	bun.BaseModel `bun:"table:feuilleton"`
	ID            int64 `bun:",pk"`
	AuthorID      int64
	EditorID      int64
	Notes         json.RawMessage
	Author        *Columnist `bun:"rel:belongs-to,join:author_id=id"`
	Editor        *Columnist `bun:"rel:belongs-to,join:editor_id=id"`
}

func withFeuilletons(t *testing.T, f func(t *testing.T, ctx context.Context, db *orm.DB)) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Columnist)(nil), (*Feuilleton)(nil)))
		require.NoError(t, orm.Objects[Columnist](db).BulkCreate(ctx, []*Columnist{{ID: 1, Name: "Ann", Score: 3}, {ID: 2, Name: "Bea", Score: 1}, {ID: 3, Name: "Cay", Score: 2}}))
		require.NoError(t, orm.Objects[Feuilleton](db).BulkCreate(ctx, []*Feuilleton{
			{ID: 1, AuthorID: 2, EditorID: 1, Notes: json.RawMessage(`{"a":1}`)}, {ID: 2, AuthorID: 3, EditorID: 2, Notes: json.RawMessage(`{"a":1.0}`)},
			{ID: 3, AuthorID: 3, EditorID: 2, Notes: json.RawMessage(`{}`)},
		}))
		f(t, ctx, db)
	})
}

// MySQL cannot read the table that it changes, in a join of a sub-select neither.
func TestS32_WhatIsChangedIsJoinedInASubSelect(t *testing.T) {
	withFeuilletons(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		people, essays := orm.Objects[Columnist](db), orm.Objects[Feuilleton](db)
		byAnn := query.Any("feuilletons", F("editor.name").Eq("Ann"))
		n, err := people.Filter(byAnn).Update(ctx, query.Set("score", 10))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		n, err = people.Filter(F("id").In(query.Select(essays.Filter(F("editor.name").Eq("Bea")), F("author_id")))).
			Update(ctx, query.Set("score", F("score").Add(5)))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		list, err := people.OrderBy("id").All(ctx)
		require.NoError(t, err)
		require.Equal(t, []int64{3, 10, 7}, []int64{list[0].Score, list[1].Score, list[2].Score})
		_, err = people.Filter(byAnn).Delete(ctx)
		require.ErrorIs(t, err, dialect.ErrForeignKeyViolation, "the statement is one")
	})
}

// A server need not keep the order of a sub-select.
func TestS34_TheOrderOfASelectionStaysWithIt(t *testing.T) {
	withFeuilletons(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		people := orm.Objects[Columnist](db)
		ranked := query.Select(people, F("name"), F("score"), F("id").As("number")).OrderBy("-score")
		for name, q := range map[string]query.Query{
			"Select":           query.Select(ranked, F("name")),
			"Filter":           query.Select(ranked.Filter(F("score").Gt(0)), F("name")),
			"Filter, twice":    query.Select(ranked.Filter(F("score").Gt(0)).Filter(F("number").Gt(0)), F("name")),
			"behind Limit":     query.Select(ranked.Limit(3).Filter(F("score").Gt(0)), F("name")),
			"Join":             query.Select(ranked.Join("other", query.Select(people, F("id")), F("number").Eq(F("other.id"))), F("name")),
			"another output's": query.Select(query.Select(people, F("name"), F("score").Neg().As("below")).OrderBy("below"), F("name")),
		} {
			got, err := orm.Select[string](ctx, q)
			require.NoError(t, err, name)
			require.Equal(t, []string{"Ann", "Cay", "Bea"}, got, name)
		}
		best, err := orm.Select[string](ctx, query.Select(ranked.Limit(1), F("name")))
		require.NoError(t, err)
		require.Equal(t, []string{"Ann"}, best)
		again, err := orm.Select[string](ctx, query.Select(ranked, F("name")).OrderBy("name"))
		require.NoError(t, err)
		require.Equal(t, []string{"Ann", "Bea", "Cay"}, again)
		n, err := orm.Select[int64](ctx, query.Select(ranked, query.Count()))
		require.NoError(t, err)
		require.Equal(t, []int64{3}, n)
		groups, err := orm.Select[int64](ctx, query.Select(ranked.GroupBy("name"), query.Count()))
		require.NoError(t, err)
		require.Equal(t, []int64{1, 1, 1}, groups)
		list, err := people.Filter(F("name").In(query.Select(ranked, F("name")))).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, list)
		both, err := orm.Select[string](ctx, query.Union(query.Select(ranked, F("name")), query.Select(ranked, F("name"))).OrderBy("-name"))
		require.NoError(t, err)
		require.Equal(t, []string{"Cay", "Bea", "Ann"}, both)
	})
}

// PostgreSQL takes an expression with values for another one than that which it has put out.
func TestS33_DistinctRowsInTheOrderOfAnAnnotation(t *testing.T) {
	withFeuilletons(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		people := orm.Objects[Columnist](db).Annotate("twice", F("score").Mul(2)).Distinct()
		for order, want := range map[string][]int64{"twice": {2, 3, 1}, "-twice": {1, 3, 2}} {
			list, err := people.OrderBy(order).All(ctx)
			require.NoError(t, err)
			require.Equal(t, want, []int64{list[0].ID, list[1].ID, list[2].ID})
		}
		list, err := people.OrderByExpr(F("twice").Desc().NullsFirst()).Limit(2).All(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 6, list[0].Twice)
	})
}

func TestS34_JSONIsNotTakenForEqual(t *testing.T) {
	withFeuilletons(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		essays := orm.Objects[Feuilleton](db)
		var refused *query.ValueError
		_, err := orm.Select[json.RawMessage](ctx, query.Select(essays, F("notes")).Distinct())
		require.ErrorAs(t, err, &refused)
		require.ErrorContains(t, err, "notes")
		_, err = orm.Aggregate[int64](ctx, essays, query.CountDistinct(F("notes")))
		require.ErrorAs(t, err, &refused)
		type row struct {
			ID    int64
			Notes json.RawMessage
		}
		list, err := orm.Select[row](ctx, query.Select(essays, F("id"), F("notes")).Distinct())
		require.NoError(t, err)
		require.Len(t, list, 3)
		whole, err := essays.Distinct().All(ctx)
		require.NoError(t, err)
		require.Len(t, whole, 3)
	})
}

// RoomShelf has a key of two columns, of which a text is ordered by the server.
type RoomShelf struct {
	bun.BaseModel `bun:"table:room_shelf"`
	Room          string `bun:"type:varchar(20),pk"`
	Number        int64  `bun:",pk"`
	Books         int64
}

// Every OR is a level of an expression for SQLite, and PostgreSQL takes 65535 values.
func TestS42_ManyRowsByAKeyOfTwoColumns(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*RoomShelf)(nil)))
		shelves := orm.Objects[RoomShelf](db)
		const many = 1300
		rows := make([]*RoomShelf, many)
		for i := range rows {
			rows[i] = &RoomShelf{Room: string(rune('a' + i%3)), Number: int64(i)}
		}
		require.NoError(t, shelves.BulkCreate(ctx, rows))
		inOrder := func(list []*RoomShelf) {
			require.Len(t, list, many)
			for i, s := range list[1:] {
				require.True(t, list[i].Room < s.Room || list[i].Room == s.Room && list[i].Number < s.Number)
			}
		}
		list, err := shelves.OrderBy("room", "number").UpdateReturning(ctx, query.Set("books", F("number").Add(1)))
		require.NoError(t, err)
		inOrder(list)
		require.Equal(t, list[0].Number+1, list[0].Books)
		n, err := shelves.Filter(F("books").Eq(F("number").Add(1))).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, many, n)
		list, err = shelves.OrderBy("room", "number").DeleteReturning(ctx)
		require.NoError(t, err)
		inOrder(list)
		n, err = shelves.Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		list, err = shelves.OrderBy("room").DeleteReturning(ctx)
		require.NoError(t, err)
		require.Empty(t, list)
	})
}

// What numbers rows has no sign on MySQL, where a number below 0 without one is an error.
func TestS36_NumbersOfRowsHaveASign(t *testing.T) {
	withFeuilletons(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		w := query.Window{}.OrderBy("id")
		type numbers struct{ Number, Rank, Dense, Quarter, All int64 }
		got, err := orm.Select[numbers](ctx, orm.Objects[Columnist](db).OrderBy("id"),
			F("score").Sub(query.RowNumber().Over(w).Mul(3)).As("number"),
			F("score").Sub(query.Rank().Over(w).Mul(3)).As("rank"),
			query.DenseRank().Over(w).Mul(-1).As("dense"),
			query.Ntile(2).Over(w).Neg().As("quarter"),
			query.Count().Over(w).Neg().As("all"))
		require.NoError(t, err)
		require.Equal(t, []numbers{{0, 0, -1, -1, -1}, {-5, -5, -2, -1, -2}, {-7, -7, -3, -2, -3}}, got)
	})
}
