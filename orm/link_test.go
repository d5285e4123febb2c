package orm_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func perksOf(ctx context.Context, t *testing.T, db *orm.DB, name string) string {
	t.Helper()
	h, err := orm.Objects[Hall](db).Prefetch("perks", func(r orm.Related) orm.Related { return r.OrderBy("name") }).Filter(F("name").Eq(name)).Get(ctx)
	require.NoError(t, err)
	names := []string{}
	for _, p := range h.Perks {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

func hallAndPerks(ctx context.Context, t *testing.T, db *orm.DB) (c *Hall, all, ofA, ofB *Perk) {
	t.Helper()
	hotel(ctx, t, db)
	c, err := orm.Objects[Hall](db).Filter(F("name").Eq("c")).Get(ctx)
	require.NoError(t, err)
	perks, err := orm.Objects[Perk](db).OrderBy("id").All(ctx)
	require.NoError(t, err)
	return c, perks[0], perks[1], perks[2]
}

func TestS39_Links(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		c, all, ofA, ofB := hallAndPerks(ctx, t, db)
		for range 2 { // the second time they are there
			require.NoError(t, orm.Link(ctx, db, c, "perks", ofB, all, ofB))
			require.Equal(t, "all, of b", perksOf(ctx, t, db, "c"))
		}
		require.NoError(t, orm.Link(ctx, db, c, "perks", ofA, all))
		require.Equal(t, "all, of a, of b", perksOf(ctx, t, db, "c"))
		require.Empty(t, c.Perks, "the struct stays as it is")
		require.NoError(t, orm.Link(ctx, db, c, "perks", []*Perk{}...))

		for _, want := range []int64{2, 0} {
			n, err := orm.Unlink(ctx, db, c, "perks", ofA, ofB, &Perk{AutoID: models.AutoID{ID: 77}})
			require.NoError(t, err)
			require.Equal(t, want, n)
			require.Equal(t, "all", perksOf(ctx, t, db, "c"))
		}
		n, err := orm.Unlink(ctx, db, c, "perks", []*Perk{}...)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, "all, of a", perksOf(ctx, t, db, "a"), "another's stay")

		// From the other side, by keys alone.
		require.NoError(t, orm.Link(ctx, db, ofA, "halls", &Hall{AutoID: c.AutoID}))
		require.Equal(t, "all, of a", perksOf(ctx, t, db, "c"))

		for _, set := range [][]*Perk{{ofB, ofA}, {ofB, ofA, ofB}, {}, {all}, {all, ofA, ofB}} {
			require.NoError(t, orm.SetLinks(ctx, db, c, "perks", set...))
			want := []string{}
			for _, p := range set {
				want = append(want, p.Name)
			}
			slices.Sort(want)
			require.Equal(t, strings.Join(slices.Compact(want), ", "), perksOf(ctx, t, db, "c"))
		}
		require.Equal(t, "all, of a", perksOf(ctx, t, db, "a"))
		require.ErrorIs(t, orm.SetLinks(ctx, db, &Hall{AutoID: models.AutoID{ID: 77}}, "perks", all), orm.ErrNotFound)

		// Many, in few statements.
		var perks []*Perk
		for i := range 2500 {
			perks = append(perks, &Perk{Name: fmt.Sprintf("many %d", i)})
		}
		require.NoError(t, orm.Objects[Perk](db).BulkCreate(ctx, perks))
		require.NoError(t, orm.Link(ctx, db, c, "perks", perks...))
		require.NoError(t, orm.SetLinks(ctx, db, c, "perks", perks[1000:]...))
		count := func() int64 {
			n, err := orm.Objects[HallPerk](db).Filter(F("hall_id").Eq(c.ID)).Count(ctx)
			require.NoError(t, err)
			return n
		}
		require.EqualValues(t, 1500, count())
		n, err = orm.Unlink(ctx, db, c, "perks", perks...)
		require.NoError(t, err)
		require.EqualValues(t, 1500, n)

		// All or nothing.
		if db.Server().Engine != dialect.SQLite { // which looks at keys only if it is told to
			many := append(slices.Clone(perks), &Perk{AutoID: models.AutoID{ID: 99999}})
			require.ErrorIs(t, orm.Link(ctx, db, c, "perks", many...), dialect.ErrForeignKeyViolation)
			require.Zero(t, count())
			require.NoError(t, orm.SetLinks(ctx, db, c, "perks", all))
			require.ErrorIs(t, orm.SetLinks(ctx, db, c, "perks", many...), dialect.ErrForeignKeyViolation)
			require.Equal(t, "all", perksOf(ctx, t, db, "c"))
		}
		err = atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(t, orm.SetLinks(ctx, db, c, "perks", ofA, ofB))
			require.Equal(t, "of a, of b", perksOf(ctx, t, db, "c"))
			return atomic.Rollback
		})
		require.NoError(t, err)
		require.NotContains(t, perksOf(ctx, t, db, "c"), "of a")
	})
}

// Models between, of all sorts.
type (
	Left struct {
		bun.BaseModel `bun:"table:lefts"`
		Code          string    `bun:"type:varchar(20),pk"`
		Ranked        []*Right  `bun:"m2m:ranked,join:Left=Right"`
		Loose         []*Right  `bun:"m2m:loose,join:Left=Right"`
		Dated         []*Right  `bun:"m2m:dated,join:Left=Right"`
		Second        []*Right  `bun:"m2m:seconds,join:Left=Right"`
		Numbers       []*Number `bun:"rel:has-many,join:code=left_code"`
	}
	Right struct {
		bun.BaseModel `bun:"table:rights"`
		House         int64 `bun:",pk"`
		Door          int64 `bun:",pk"`
	}
	Number struct {
		models.AutoID
		LeftCode string `bun:"type:varchar(20)"`
	}
	Ranked struct {
		bun.BaseModel `bun:"table:ranked"`
		LeftCode      string `bun:"type:varchar(20),pk"`
		RightHouse    int64  `bun:",pk"`
		RightDoor     int64  `bun:",pk"`
		Rank          int64
		Left          *Left  `bun:"rel:belongs-to,join:left_code=code"`
		Right         *Right `bun:"rel:belongs-to,join:right_house=house,join:right_door=door"`
	}
	Loose struct {
		bun.BaseModel `bun:"table:loose"`
		models.AutoID
		LeftCode   string `bun:"type:varchar(20)"`
		RightHouse int64
		RightDoor  int64
		Left       *Left  `bun:"rel:belongs-to,join:left_code=code"`
		Right      *Right `bun:"rel:belongs-to,join:right_house=house,join:right_door=door"`
	}
	Dated struct { // has a key of its own, times, a version, and what need not be given
		bun.BaseModel `bun:"table:dated"`
		models.AutoID
		models.Timestamps
		models.Versioned
		LeftCode   string `bun:"type:varchar(20),unique:link"`
		RightHouse *int64 `bun:",unique:link"`
		RightDoor  int64  `bun:",unique:link"`
		Note       *string
		State      string `bun:",notnull,nullzero,default:'new'"`
		Left       *Left  `bun:"rel:belongs-to,join:left_code=code"`
		Right      *Right `bun:"rel:belongs-to,join:right_house=house,join:right_door=door"`
	}
	Second struct { // two unique keys
		bun.BaseModel `bun:"table:seconds"`
		LeftCode      string  `bun:"type:varchar(20),pk"`
		RightHouse    int64   `bun:",pk"`
		RightDoor     int64   `bun:",pk"`
		Place         float64 `bun:",unique,notnull,default:0"`
		Left          *Left   `bun:"rel:belongs-to,join:left_code=code"`
		Right         *Right  `bun:"rel:belongs-to,join:right_house=house,join:right_door=door"`
	}
)

func TestS39_ModelsBetween(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Ranked)(nil), (*Loose)(nil), (*Dated)(nil), (*Second)(nil), (*Left)(nil), (*Right)(nil), (*Number)(nil)))
		a := &Left{Code: "a"}
		require.NoError(t, orm.Objects[Left](db).Create(ctx, a))
		rights := []*Right{{House: 1, Door: 1}, {House: 1, Door: 2}, {House: 2, Door: 1}}
		for i := range rights {
			require.NoError(t, orm.Objects[Right](db).Create(ctx, rights[i]))
		}
		var fe *query.FieldError
		err := orm.Link(ctx, db, a, "ranked", rights...)
		require.ErrorAs(t, err, &fe)
		require.ErrorContains(t, err, `Ranked: field "rank" has to be given a value`)
		require.ErrorContains(t, orm.Link(ctx, db, a, "loose", rights...), "Loose has no unique key on left_code, right_house, right_door")
		require.ErrorAs(t, orm.Link(ctx, db, a, "rankd", rights...), &fe)
		require.ErrorAs(t, orm.Link(ctx, db, a, "code", rights...), &fe)
		require.ErrorContains(t, orm.Link(ctx, db, a, "numbers", &Number{}), "is no many-to-many relation")
		require.ErrorContains(t, orm.Link(ctx, db, a, "dated", &Number{}), "leads to rows of Right, not of Number")
		require.ErrorContains(t, orm.Link(ctx, db, a, "dated", rights[0], nil), "row 1: the row is nil")
		require.ErrorContains(t, orm.Link[Left](ctx, db, nil, "dated", rights[0]), "the row is nil")
		_, err = orm.Unlink(ctx, db, &Hall{}, "perks", &Perk{})
		require.Error(t, err)
		require.ErrorContains(t, orm.SetLinks(ctx, db, a, "ranked", rights...), "has to be given a value")
		err = orm.Link(ctx, db, a, "second", rights...)
		if isMySQL(db) {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		} else {
			require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		}

		dated := func() []*Dated {
			list, err := orm.Objects[Dated](db).OrderBy("right_house", "right_door").All(ctx)
			require.NoError(t, err)
			return list
		}
		require.NoError(t, orm.Link(ctx, db, a, "dated", rights[:2]...))
		before := dated()
		require.Len(t, before, 2)
		require.NotZero(t, before[0].ID)
		require.NotZero(t, before[0].CreatedAt)
		require.EqualValues(t, 1, before[0].Version)
		require.Equal(t, "new", before[0].State)
		require.NoError(t, orm.SetLinks(ctx, db, a, "dated", rights[1:]...))
		list := dated()
		require.Len(t, list, 2)
		require.Equal(t, before[1], list[0], "it was linked, and stays as it was")
		n, err := orm.Unlink(ctx, db, a, "dated", rights...)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
	})
}

func TestS39_RowsWithoutKeys(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		c, all, _, _ := hallAndPerks(ctx, t, db)
		for name, link := range map[string]func(h *Hall, p *Perk) error{
			"Link":     func(h *Hall, p *Perk) error { return orm.Link(ctx, db, h, "perks", p) },
			"SetLinks": func(h *Hall, p *Perk) error { return orm.SetLinks(ctx, db, h, "perks", p) },
			"Unlink":   func(h *Hall, p *Perk) error { _, err := orm.Unlink(ctx, db, h, "perks", p); return err },
		} {
			require.ErrorContains(t, link(&Hall{}, all), "Hall.id has no value", name)
			require.ErrorContains(t, link(c, &Perk{}), "row 0: the row has no primary key", name)
		}
		require.Equal(t, "", perksOf(ctx, t, db, "c"))
	})
}

// A link that is marked as deleted is none, and holds its key.
func TestS39_LinksThatAreSoftlyDeleted(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		topics, err := orm.Objects[Topic](db).WithDeleted().OrderBy("name").All(ctx)
		require.NoError(t, err)
		a := book(ctx, t, db, "a")
		of := func() string {
			row, err := orm.Objects[Book](db).Prefetch("topics", func(r orm.Related) orm.Related { return r.WithDeleted().OrderBy("name") }).Find(ctx, a.ID)
			require.NoError(t, err)
			names := ""
			for _, topic := range row.Topics {
				names += topic.Name
			}
			return names
		}
		stored := func() int64 {
			n, err := orm.Objects[BookTopic](db).WithDeleted().Filter(F("book_id").Eq(a.ID)).Count(ctx)
			require.NoError(t, err)
			return n
		}
		require.Equal(t, "xy", of())
		require.NoError(t, orm.Link(ctx, db, a, "topics", topics...))
		require.Equal(t, "xyz", of())
		n, err := orm.Unlink(ctx, db, a, "topics", topics[0], topics[2])
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		require.Equal(t, "y", of())
		n, err = orm.Unlink(ctx, db, a, "topics", topics[0], topics[2])
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, orm.SetLinks(ctx, db, a, "topics", topics[1:]...))
		require.Equal(t, "yz", of())
		require.NoError(t, orm.SetLinks(ctx, db, a, "topics", topics[0]))
		require.Equal(t, "x", of())
		require.EqualValues(t, 3, stored(), "rows are marked, and not deleted")
	})
}

func TestS39_ManyMakeTheSameLinks(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		c, all, ofA, ofB := hallAndPerks(ctx, t, db)
		var group sync.WaitGroup
		errs := make([]error, 64)
		for n := range 64 {
			group.Go(func() {
				perks := []*Perk{all, ofA, ofB}
				if n%2 == 1 {
					slices.Reverse(perks)
				}
				if n%4 == 0 { // from the other side
					errs[n] = orm.Link(ctx, db, ofA, "halls", c)
					return
				}
				errs[n] = orm.Link(ctx, db, c, "perks", perks...)
			})
		}
		group.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.Equal(t, "all, of a, of b", perksOf(ctx, t, db, "c"))
	})
}

// Of several sets at the same time the result is one of them.
func TestS39_SetsAreNotMixed(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		c, all, ofA, ofB := hallAndPerks(ctx, t, db)
		sets := [][]*Perk{{all}, {ofA, ofB}, {}}
		allowed := []string{"all", "of a, of b", ""}
		levels := []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadCommitted, sql.LevelRepeatableRead}
		for round := range 8 {
			var group sync.WaitGroup
			errs := make([]error, 12)
			for n := range errs {
				group.Go(func() {
					set := func(ctx context.Context) error { return orm.SetLinks(ctx, db, c, "perks", sets[n%3]...) }
					if n%2 == 0 && round%2 == 0 {
						errs[n] = set(ctx)
						return
					}
					level := levels[(n/2)%3]
					if db.Server().Engine == dialect.SQLite {
						level = sql.LevelDefault
					}
					errs[n] = atomic.Do(ctx, db, func(ctx context.Context) error {
						if _, err := orm.Objects[HallPerk](db).Count(ctx); err != nil { // a snapshot that is older
							return err
						}
						return set(ctx)
					}, atomic.Isolation(level), atomic.Retry(40))
				})
			}
			group.Wait()
			for _, err := range errs {
				require.NoError(t, err)
			}
			require.Contains(t, allowed, perksOf(ctx, t, db, "c"))
		}
	})
}
