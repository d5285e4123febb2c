package orm_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Parent's table is called like its relation.
type Parent struct {
	bun.BaseModel `bun:"table:parent"`
	models.AutoID
	Name     string
	ParentID *int64
	Parent   *Parent  `bun:"rel:belongs-to,join:parent_id=id"`
	Profile  *Profile `bun:"rel:has-one,join:id=parent_id"`
}

type Profile struct {
	models.AutoID
	ParentID int64
	Select   string `bun:"select"` // a reserved word
}

// Label holds its relation by value, and a list.
type Label struct {
	models.AutoID
	ParentID int64
	Parent   Parent   `bun:"rel:belongs-to,join:parent_id=id"`
	Tags     []string `bun:",array"`
	Numbers  []int64  `bun:",array"`
}

func TestRelationsToItselfAndBack(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Label)(nil), (*Profile)(nil), (*Parent)(nil)))
		top := &Parent{Name: "top"}
		require.NoError(t, orm.Objects[Parent](db).Create(ctx, top))
		low := &Parent{Name: "low", ParentID: &top.ID}
		require.NoError(t, orm.Objects[Parent](db).Create(ctx, low))
		require.NoError(t, orm.Objects[Profile](db).Create(ctx, &Profile{ParentID: top.ID, Select: "x"}))

		got, err := orm.Objects[Parent](db).Related("parent.profile", "profile").Filter(F("parent.name").Eq("top")).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "low", got.Name)
		require.Equal(t, "top", got.Parent.Name)
		require.Equal(t, "x", got.Parent.Profile.Select)
		require.Nil(t, got.Profile)
		n, err := orm.Objects[Parent](db).Filter(F("profile.select").Ne("x")).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)

		label := &Label{ParentID: low.ID, Tags: []string{"a", `b"',{}\`, ""}, Numbers: []int64{1, -2}}
		require.NoError(t, orm.Objects[Label](db).Create(ctx, label))
		back, err := orm.Objects[Label](db).Related("parent.parent").Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "top", back.Parent.Parent.Name)
		require.Equal(t, label.Tags, back.Tags)
		require.Equal(t, label.Numbers, back.Numbers)

		locked := orm.Objects[Label](db).Related("parent").SelectForUpdate(orm.Of("self", "parent"))
		if db.Server().Can(dialect.Of) {
			inBlock(ctx, t, db, func(ctx context.Context) {
				_, err := locked.All(ctx)
				require.NoError(t, err)
			})
		}
		inBlock(ctx, t, db, func(ctx context.Context) {
			require.NoError(t, orm.Lock(ctx, db, label))
			require.Len(t, label.Tags, 3)
		})
	})
}

// The name of a column to order by may come from a user.
func TestAPathOverRelationsHasAnEnd(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Parent)(nil)))
		require.NoError(t, orm.Objects[Parent](db).Create(ctx, &Parent{Name: "top"}))
		got, err := orm.Objects[Parent](db).OrderBy(strings.Repeat("parent.", 16) + "name").Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "top", got.Name)
		for _, n := range []int{17, 100_000} {
			_, err = orm.Objects[Parent](db).OrderBy(strings.Repeat("parent.", n) + "name").All(ctx)
			var fe *query.FieldError
			require.ErrorAs(t, err, &fe)
			require.EqualError(t, fe, `Parent: field "parent" begins a path over more than 16 relations`)
		}
	})
}

func TestS02_DistinctIsOrderedByWhatItSelects(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Parent)(nil)))
		top := &Parent{Name: "top"}
		require.NoError(t, orm.Objects[Parent](db).Create(ctx, top))
		require.NoError(t, orm.Objects[Parent](db).BulkCreate(ctx, []*Parent{{Name: "a", ParentID: &top.ID}, {Name: "b", ParentID: &top.ID}}))
		q := orm.Objects[Parent](db).Distinct().Related("parent").OrderBy("parent.name", "-name")
		rows, err := q.All(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"top", "b", "a"}, []string{rows[0].Name, rows[1].Name, rows[2].Name})
		for _, c := range []struct {
			q    orm.QuerySet[Parent]
			want int64
		}{{q, 3}, {q.Limit(2), 2}, {q.Offset(1), 2}, {q.Filter(F("parent.name").Eq("top")), 2}} {
			n, err := c.q.Count(ctx)
			require.NoError(t, err)
			require.Equal(t, c.want, n)
		}
		found, err := q.Exists(ctx)
		require.NoError(t, err)
		require.True(t, found)
		var fe *query.FieldError
		_, err = orm.Objects[Parent](db).Distinct().OrderBy("parent.name").All(ctx)
		require.ErrorAs(t, err, &fe)
	})
}
