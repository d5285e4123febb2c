package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type City struct {
	bun.BaseModel `bun:"table:city"`
	models.AutoID
	Name  string
	Halls []*Hall `bun:"rel:has-many,join:id=city_id"`
}

type Hall struct {
	bun.BaseModel `bun:"table:hall"`
	models.AutoID
	Name   string
	CityID *int64
	City   *City   `bun:"rel:belongs-to,join:city_id=id"`
	Stays  []*Stay `bun:"rel:has-many,join:id=hall_id"`
	Perks  []Perk  `bun:"m2m:hall_perk,join:Hall=Perk"`
	Size   int64
	Open   int64 `bun:",scanonly,nullzero"`
}

type Stay struct {
	bun.BaseModel `bun:"table:stay"`
	models.AutoID
	HallID *int64
	Day    int
	State  *string
	Hall   *Hall   `bun:"rel:belongs-to,join:hall_id=id"`
	Extras []Extra `bun:"rel:has-many,join:id=stay_id"`
}

type Extra struct {
	bun.BaseModel `bun:"table:extra"`
	models.AutoID
	StayID int64
	Cents  int64
}

type Perk struct {
	bun.BaseModel `bun:"table:perk"`
	models.AutoID
	Name  string
	Halls []*Hall `bun:"m2m:hall_perk,join:Perk=Hall"`
}

type HallPerk struct {
	bun.BaseModel `bun:"table:hall_perk"`
	HallID        int64 `bun:",pk"`
	PerkID        int64 `bun:",pk"`
	Hall          *Hall `bun:"rel:belongs-to,join:hall_id=id"`
	Perk          *Perk `bun:"rel:belongs-to,join:perk_id=id"`
}

// hotel has a hall "a" with three stays, one of which has two extras, "b" with one, and "c"
// with none; "a" and "b" are in a city and have a perk each, and one in common.
func hotel(ctx context.Context, t testing.TB, db *orm.DB) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*HallPerk)(nil), (*City)(nil), (*Hall)(nil), (*Stay)(nil), (*Extra)(nil), (*Perk)(nil)))
	city := &City{Name: "Bonn"}
	require.NoError(t, orm.Objects[City](db).Create(ctx, city))
	a, b, c := &Hall{Name: "a", CityID: &city.ID}, &Hall{Name: "b", CityID: &city.ID}, &Hall{Name: "c"}
	for _, h := range []*Hall{a, b, c} {
		require.NoError(t, orm.Objects[Hall](db).Create(ctx, h))
	}
	open, done := "open", "done"
	stays := []*Stay{{HallID: &a.ID, Day: 1, State: &open}, {HallID: &a.ID, Day: 2, State: &done}, {HallID: &a.ID, Day: 3}, {HallID: &b.ID, Day: 4, State: &open}, {Day: 5, State: &open}}
	for _, s := range stays {
		require.NoError(t, orm.Objects[Stay](db).Create(ctx, s))
	}
	require.NoError(t, orm.Objects[Extra](db).BulkCreate(ctx, []*Extra{{StayID: stays[0].ID, Cents: 5}, {StayID: stays[0].ID, Cents: 7}}))
	perks := []*Perk{{Name: "all"}, {Name: "of a"}, {Name: "of b"}}
	for _, p := range perks {
		require.NoError(t, orm.Objects[Perk](db).Create(ctx, p))
	}
	require.NoError(t, orm.Objects[HallPerk](db).BulkCreate(ctx, []*HallPerk{{HallID: a.ID, PerkID: perks[0].ID}, {HallID: b.ID, PerkID: perks[0].ID},
		{HallID: a.ID, PerkID: perks[1].ID}, {HallID: b.ID, PerkID: perks[2].ID}}))
}

func TestS37_QuantifiersOverManyRows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		hotel(ctx, t, db)
		halls := orm.Objects[Hall](db).OrderBy("name")
		for _, c := range []struct {
			cond query.Cond
			want []string
		}{
			{query.Any("stays"), []string{"a", "b"}},
			{query.None("stays"), []string{"c"}},
			{query.Every("stays"), []string{"a", "b", "c"}},
			{query.Any("stays", F("state").Eq("open")), []string{"a", "b"}},
			{query.Any("stays", F("state").Ne("open")), []string{"a"}}, // NULL is not "open"
			{query.None("stays", F("state").Eq("done")), []string{"b", "c"}},
			{query.Every("stays", F("state").Eq("open")), []string{"b", "c"}},
			{query.Every("stays", F("state").In("open", "done")), []string{"b", "c"}},
			{query.Any("stays", F("day").Gt(1), F("day").Lt(3)), []string{"a"}},
			{query.Any("stays.extras", F("cents").Gt(6)), []string{"a"}},
			{query.None("stays.extras"), []string{"b", "c"}},
			{query.Any("perks"), []string{"a", "b"}},
			{query.Any("perks", F("name").Eq("of "+"b")), []string{"b"}},
			{query.Every("perks", F("name").Ne("of b")), []string{"a", "c"}},
			{query.Any("perks.halls.stays", F("day").Eq(4)), []string{"a", "b"}},
			{query.Any("city.halls", F("name").Gt(query.Outer("name"))), []string{"a"}},
			{query.Any("stays", query.None("extras"), query.Any("hall.perks")), []string{"a", "b"}},
			{query.And(query.Any("stays"), query.Any("perks"), query.CountOf("stays").Gt(1)), []string{"a"}},
			{query.MaxOf("stays", F("day")).Lt(4), []string{"a"}},
		} {
			for not, q := range map[bool]orm.QuerySet[Hall]{false: halls.Filter(c.cond), true: halls.Exclude(c.cond)} {
				rows, err := q.All(ctx)
				require.NoError(t, err)
				got := []string{}
				for _, h := range rows {
					got = append(got, h.Name)
				}
				want := c.want
				if not {
					want = without([]string{"a", "b", "c"}, want)
				}
				require.Equal(t, want, got, "%v", c.cond)
			}
		}
	})
}

func without(all, some []string) []string {
	left := []string{}
	for _, s := range all {
		found := false
		for _, o := range some {
			found = found || s == o
		}
		if !found {
			left = append(left, s)
		}
	}
	return left
}

// Django multiplies two counts in one query by each other (ticket 10060).
func TestS37_AggregatesOverManyRows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		hotel(ctx, t, db)
		halls := orm.Objects[Hall](db)
		type totals struct {
			Name                    string
			Stays, Perks, Both, Sum int64
			First, Last             *int64
			Mean                    *float64
		}
		got, err := orm.Select[totals](ctx, halls.OrderBy("name"), F("name"),
			query.CountOf("stays").As("stays"), query.CountOf("perks").As("perks"), query.CountOf("perks.halls").As("both"),
			query.Coalesce(query.SumOf("stays.extras", F("cents")), query.Value(0)).As("sum"),
			query.MinOf("stays", F("day")).As("first"), query.MaxOf("stays", F("day"), F("state").Eq("open")).As("last"), query.AvgOf("stays", F("day")).As("mean"))
		require.NoError(t, err)
		one, four, two, fourth := int64(1), int64(4), 2.0, 4.0
		require.Equal(t, []totals{
			{"a", 3, 2, 2, 12, &one, &one, &two}, {"b", 1, 2, 2, 0, &four, &four, &fourth}, {Name: "c"},
		}, got)

		rows, err := halls.Annotate("open", query.CountOf("stays", F("state").Eq("open"))).Filter(F("open").Ge(1)).OrderBy("-open", "-name").All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.Equal(t, "b", rows[0].Name)
		require.EqualValues(t, 1, rows[1].Open)
		list, err := orm.Select[int64](ctx, halls.OrderByExpr(query.CountOf("stays").Desc(), F("name").Asc()), F("id"))
		require.NoError(t, err)
		require.Len(t, list, 3)

		// In groups: over what is grouped by.
		grouped := halls.GroupBy("city_id", "id").Having(query.CountOf("stays").Gt(0)).OrderBy("id")
		list, err = orm.Select[int64](ctx, grouped, query.CountOf("stays").As("n"))
		require.NoError(t, err)
		require.Equal(t, []int64{3, 1}, list)
		_, err = orm.Select[int64](ctx, halls.GroupBy("name"), query.CountOf("stays").As("n"))
		require.ErrorContains(t, err, "has several values in a group")
		most, err := orm.Aggregate[int64](ctx, halls, query.Max(query.CountOf("stays")))
		require.NoError(t, err)
		require.EqualValues(t, 3, most)
	})
}

func TestS37_ChangesByManyRows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		hotel(ctx, t, db)
		halls := orm.Objects[Hall](db)
		n, err := halls.Filter(query.Any("perks.halls", F("name").Eq("b")), F("name").Eq("a")).Update(ctx, query.Set("name", "aa"))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		n, err = halls.Filter(query.Any("city.halls", F("name").Eq("aa"))).Update(ctx, query.Set("size", query.CountOf("stays")))
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		ids, err := orm.Select[int64](ctx, halls.OrderBy("id"), F("size"))
		require.NoError(t, err)
		require.Equal(t, []int64{3, 1, 0}, ids)
		n, err = halls.Filter(query.None("stays")).Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}
