package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Diary has times of its own, and no tag that protects that of its creation.
type Diary struct {
	bun.BaseModel `bun:"table:diary"`
	models.AutoID
	Name    string `bun:"type:varchar(40),unique"`
	Text    string `bun:"type:varchar(40)"`
	Written time.Time
	Changed time.Time
	Edition int64
}

func (d *Diary) TimestampFields() (created, updated *time.Time) { return &d.Written, &d.Changed }
func (d *Diary) VersionField() *int64                           { return &d.Edition }

func TestS28_TheTimeOfCreationStays(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Diary)(nil)))
		diaries, later := orm.Objects[Diary](db), start.AddDate(1, 0, 0)
		require.NoError(t, diaries.BulkCreate(ctx, []*Diary{{Name: "a", Written: start}, {Name: "b", Written: start}}))
		a := func() *Diary {
			t.Helper()
			d, err := diaries.Filter(F("name").Eq("a")).Get(ctx)
			require.NoError(t, err)
			return d
		}
		same := func(want time.Time) {
			t.Helper()
			d := a()
			require.Equal(t, want, d.Written)
			require.WithinDuration(t, time.Now(), d.Changed, time.Minute)
		}

		d := a()
		d.Written, d.Text = time.Time{}, "saved"
		require.NoError(t, diaries.Save(ctx, d))
		same(start)
		require.Equal(t, "saved", a().Text)
		all, err := diaries.OrderBy("name").All(ctx)
		require.NoError(t, err)
		for _, d := range all {
			d.Written, d.Text = later, "saved in bulk "+d.Name
		}
		require.NoError(t, diaries.BulkSave(ctx, all))
		same(start)
		require.Equal(t, "saved in bulk a", a().Text)

		d = &Diary{Name: "a", Text: "written over"}
		created, err := diaries.UpdateOrCreate(ctx, d, "name")
		require.NoError(t, err)
		require.False(t, created)
		same(start)
		require.Equal(t, a(), d, "the struct holds what the database has")
		d = &Diary{Name: "a", Text: "upserted", Written: later}
		require.NoError(t, diaries.BulkCreate(ctx, []*Diary{d, {Name: "c"}}, query.OnConflict("name").Update()))
		same(start)
		require.Equal(t, a(), d, "the struct holds what the database has")
		require.Equal(t, "upserted", d.Text)

		// Who names it may write it.
		d.Written = later
		require.NoError(t, diaries.Save(ctx, d, "written"))
		same(later)
		d.Written = start
		require.NoError(t, diaries.BulkSave(ctx, []*Diary{d}, "written"))
		same(start)
		d = &Diary{Name: "a", Written: later}
		require.NoError(t, diaries.BulkCreate(ctx, []*Diary{d}, query.OnConflict("name").Update("written")))
		same(later)
		d = &Diary{Name: "a"}
		require.NoError(t, diaries.BulkCreate(ctx, []*Diary{d}, query.OnConflict("name").Set(query.Set("written", start))))
		same(start)
		_, err = diaries.Update(ctx, query.Set("written", later))
		require.NoError(t, err)
		same(later)
	})
}
