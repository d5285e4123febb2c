package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func days(h *Hall) []int {
	list := []int{}
	for _, s := range h.Stays {
		list = append(list, s.Day)
	}
	return list
}

func TestS38_PrefetchReadsManyRows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		hotel(ctx, t, db)
		halls := orm.Objects[Hall](db).OrderBy("name")
		rows, err := halls.Prefetch("stays", func(r orm.Related) orm.Related { return r.OrderBy("-day").Related("hall.city") }).
			Prefetch("stays.extras", func(r orm.Related) orm.Related { return r.OrderByExpr(F("cents").Desc()) }).
			Prefetch("perks", func(r orm.Related) orm.Related { return r.OrderBy("name") }).
			Prefetch("city.halls.perks.halls").All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 3)
		a, b, c := rows[0], rows[1], rows[2]
		require.Equal(t, []int{3, 2, 1}, days(a))
		require.Equal(t, []int{4}, days(b))
		require.Equal(t, "Bonn", a.Stays[0].Hall.City.Name)
		require.NotNil(t, c.Stays)
		require.Empty(t, c.Stays)
		require.NotNil(t, c.Perks)
		require.Empty(t, c.Perks)
		require.Nil(t, c.City)
		require.EqualValues(t, []int64{7, 5}, []int64{a.Stays[2].Extras[0].Cents, a.Stays[2].Extras[1].Cents})
		require.NotNil(t, a.Stays[0].Extras)
		require.Equal(t, "all of a", a.Perks[0].Name+" "+a.Perks[1].Name)
		require.Equal(t, "all of b", b.Perks[0].Name+" "+b.Perks[1].Name)
		require.Len(t, b.City.Halls, 2)
		require.Len(t, b.City.Halls[0].Perks, 2)
		both := 0
		for _, p := range b.City.Halls[0].Perks {
			both += len(p.Halls)
		}
		require.Equal(t, 3, both)

		first, err := halls.Prefetch("stays", func(r orm.Related) orm.Related { return r.OrderBy("-day").Limit(2) }).
			Prefetch("perks", func(r orm.Related) orm.Related { return r.OrderBy("-name").Limit(1) }).All(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{3, 2}, days(first[0]))
		require.Equal(t, []int{4}, days(first[1]))
		require.Len(t, first[0].Perks, 1)
		require.Equal(t, "of a", first[0].Perks[0].Name)
		require.Equal(t, "of b", first[1].Perks[0].Name)

		one, err := halls.Prefetch("stays", func(r orm.Related) orm.Related {
			return r.Filter(F("hall.name").Eq("a"), query.None("extras")).Exclude(F("day").Eq(2))
		}).Get(ctx)
		require.ErrorIs(t, err, orm.ErrMultipleRows)
		require.Nil(t, one)
		one, err = halls.Prefetch("stays", func(r orm.Related) orm.Related {
			return r.Filter(F("hall.name").Eq("a"), query.None("extras")).Exclude(F("day").Eq(2))
		}).First(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{3}, days(one))
		inBlock(ctx, t, db, func(ctx context.Context) {
			require.NoError(t, orm.Objects[Stay](db).Create(ctx, &Stay{HallID: &one.ID, Day: 9}))
			one, err := halls.Filter(F("name").Eq("a")).Prefetch("stays", func(r orm.Related) orm.Related { return r.OrderBy("day") }).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, []int{1, 2, 3, 9}, days(one)) // what the block has written
		})
	})
}

// Guest has a key of two columns, and one that may be missing.
type Guest struct {
	bun.BaseModel `bun:"table:guest"`
	Country       string `bun:",pk,type:varchar(20)"`
	Number        int64  `bun:",pk"`
	Code          *string
	Bills         []Bill  `bun:"rel:has-many,join:country=country,join:number=number"`
	Coded         *[]Bill `bun:"rel:has-many,join:code=country"`
}

type Bill struct {
	bun.BaseModel `bun:"table:bill"`
	ID            int64  `bun:",pk,autoincrement"`
	Country       string `bun:",type:varchar(20)"`
	Number        *int64
}

func TestS38_KeysOfSeveralColumnsAndKindsAndNone(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Guest)(nil), (*Bill)(nil)))
		one, two, code := int64(1), int64(2), "nl"
		guests := []*Guest{{Country: "de", Number: 1}, {Country: "de", Number: 2, Code: &code}, {Country: "nl", Number: 1}}
		require.NoError(t, orm.Objects[Guest](db).BulkCreate(ctx, guests))
		for n := range int64(210) {
			guests = append(guests, &Guest{Country: "fr", Number: n})
		}
		require.NoError(t, orm.Objects[Guest](db).BulkCreate(ctx, guests[3:]))
		require.NoError(t, orm.Objects[Bill](db).BulkCreate(ctx, []*Bill{{Country: "de", Number: &one}, {Country: "de", Number: &one}, {Country: "de", Number: &two},
			{Country: "nl", Number: &two}, {Country: "nl"}, {Country: "fr", Number: &one}}))
		rows, err := orm.Objects[Guest](db).OrderBy("country", "number").Prefetch("bills").Prefetch("coded").All(ctx)
		require.NoError(t, err)
		lens := func(g *Guest) []int { return []int{len(g.Bills), len(*g.Coded)} }
		require.Equal(t, []int{2, 0}, lens(rows[0]))
		require.Equal(t, []int{1, 2}, lens(rows[1]))
		require.Equal(t, []int{1, 0}, lens(rows[3]))
		require.Equal(t, []int{0, 0}, lens(rows[212]))
		for _, g := range rows {
			require.NotNil(t, g.Bills)
			require.NotNil(t, *g.Coded)
		}
	})
}

func TestS38_WhatCannotBePrefetched(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		hotel(ctx, t, db)
		halls := orm.Objects[Hall](db)
		refined := func(f func(orm.Related) orm.Related) orm.QuerySet[Hall] { return halls.Prefetch("stays", f) }
		for want, q := range map[string]orm.QuerySet[Hall]{
			`Hall has no field "stay"`:         halls.Prefetch("stay"),
			`the relation "city" leads to one`: halls.Prefetch("city"),
			`leads to one row: read it`:        halls.Prefetch("stays.hall"),
			`Stay has no field "dai"`:          refined(func(r orm.Related) orm.Related { return r.OrderBy("dai") }),
			`is negative`:                      refined(func(r orm.Related) orm.Related { return r.Limit(-1) }),
			`Stay has no field "x"`:            refined(func(r orm.Related) orm.Related { return r.Filter(F("x").Eq(1)) }),
			`is nil`:                           refined(nil),
		} {
			require.ErrorContains(t, q.Err(), want)
			_, err := q.All(ctx)
			require.ErrorContains(t, err, want)
		}
		for _, err := range halls.Prefetch("stays").Iterate(ctx) {
			require.ErrorContains(t, err, "use All")
		}
		_, err := halls.Prefetch("stays").Delete(ctx)
		require.ErrorContains(t, err, "Prefetch cannot be changed")
		kept := halls.Prefetch("stays")
		_ = kept.Prefetch("perks")
		rows, err := kept.All(ctx)
		require.NoError(t, err)
		require.Nil(t, rows[0].Perks)
		n, err := kept.Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}

// One statement for each relation, however many rows there are.
func TestS38_StatementsOfPrefetch(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *orm.DB, turns func(run func()) int) {
		ctx := context.Background()
		hotel(ctx, t, db)
		more := make([]*Hall, 997)
		for i := range more {
			more[i] = &Hall{Name: "z"}
		}
		require.NoError(t, orm.Objects[Hall](db).BulkCreate(ctx, more))
		require.NoError(t, orm.Objects[Stay](db).Create(ctx, &Stay{HallID: &more[996].ID, Day: 7}))
		q := orm.Objects[Hall](db).OrderBy("id").Prefetch("stays").Prefetch("perks")
		require.Equal(t, 3, turns(func() {
			rows, err := q.All(ctx)
			require.NoError(t, err)
			require.Len(t, rows, 1000)
			require.Len(t, rows[0].Stays, 3)
			require.Len(t, rows[1].Perks, 2)
			require.Equal(t, []int{7}, days(rows[999]))
		}))
		require.Equal(t, 1, turns(func() { // nothing to read for
			rows, err := q.Filter(F("name").Eq("nobody")).All(ctx)
			require.NoError(t, err)
			require.Empty(t, rows)
		}))
	})
}

// The rows of a relation are read once: of two refinements one would be passed over.
func TestS38_APathIsRefinedOnce(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		hotel(ctx, t, db)
		late := func(r orm.Related) orm.Related { return r.Filter(F("day").Gt(100)) }
		one := func(r orm.Related) orm.Related { return r.Limit(1) }
		halls := orm.Objects[Hall](db).OrderBy("name")
		_, err := halls.Prefetch("stays", late).Prefetch("stays", one).First(ctx)
		require.ErrorContains(t, err, "is refined twice")
		for name, q := range map[string]orm.QuerySet[Hall]{
			"one call": halls.Prefetch("stays", late, one), "and on": halls.Prefetch("stays", late).Prefetch("stays.extras", one),
			"and once more": halls.Prefetch("stays", late).Prefetch("stays"), "behind": halls.Prefetch("stays").Prefetch("stays", late),
		} {
			h, err := q.First(ctx)
			require.NoError(t, err, name)
			require.Equal(t, "a", h.Name)
			require.Empty(t, h.Stays, name)
		}
	})
}

// Refresh reads the relations again that its query names.
func TestS38_RefreshReadsThemAgain(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		hotel(ctx, t, db)
		halls := orm.Objects[Hall](db)
		row, err := halls.OrderBy("name").First(ctx)
		require.NoError(t, err)
		q := halls.Prefetch("stays", func(r orm.Related) orm.Related { return r.OrderBy("-day") }).Prefetch("city.halls")
		require.NoError(t, q.Refresh(ctx, row))
		require.Equal(t, []int{3, 2, 1}, days(row))
		require.NotEmpty(t, row.City.Halls)
		_, err = orm.Objects[Stay](db).Filter(F("hall_id").Eq(row.ID), F("day").Gt(1)).Delete(ctx)
		require.NoError(t, err)
		require.NoError(t, halls.Refresh(ctx, row))
		require.Equal(t, []int{3, 2, 1}, days(row), "not named")
		require.NoError(t, q.Refresh(ctx, row))
		require.Equal(t, []int{1}, days(row))
	})
}
