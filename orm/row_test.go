package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Seat has a key of two columns.
type Seat struct {
	bun.BaseModel `bun:"table:seat"`
	Room          string `bun:"type:varchar(20),pk"`
	Number        int64  `bun:",pk"`
	Taken         bool
}

func TestS43_FindByKey(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		project, rows := studio(ctx, t, db, 5)
		audios := orm.Objects[Audio](db)
		got, err := audios.Related("project").Find(ctx, rows[3].ID)
		require.NoError(t, err)
		require.Equal(t, 3, got.Index)
		require.Equal(t, project.Name, got.Project.Name)
		_, err = audios.Find(ctx, rows[4].ID+1)
		require.ErrorIs(t, err, orm.ErrNotFound)
		_, err = audios.Filter(F("index").Ne(3)).Find(ctx, rows[3].ID)
		require.ErrorIs(t, err, orm.ErrNotFound, "the query does not select it")
		inBlock(ctx, t, db, func(ctx context.Context) {
			_, err := audios.SelectForUpdate().Find(ctx, rows[3].ID)
			require.NoError(t, err)
		})
		var ve *query.ValueError
		for _, key := range []any{nil, (*int64)(nil), "three", F("index")} {
			_, err = audios.Find(ctx, key)
			require.ErrorAs(t, err, &ve, "%v", key)
		}
		_, err = audios.Find(ctx)
		require.ErrorContains(t, err, "0 values for a primary key of 1 columns")
		_, err = audios.Limit(1).Find(ctx, rows[3].ID)
		require.ErrorContains(t, err, "Limit")

		require.NoError(t, orm.CreateTables(ctx, db, (*Seat)(nil)))
		seats := orm.Objects[Seat](db)
		require.NoError(t, seats.Create(ctx, &Seat{Room: "a", Number: 2, Taken: true}))
		seat, err := seats.Find(ctx, "a", 2)
		require.NoError(t, err)
		require.True(t, seat.Taken)
		_, err = seats.Find(ctx, "a", 3)
		require.ErrorIs(t, err, orm.ErrNotFound)
	})
}

func TestS43_FindManyByKey(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 5)
		audios := orm.Objects[Audio](db)
		missing := rows[4].ID + 1
		found, err := orm.FindMany(ctx, audios, []int64{rows[0].ID, rows[3].ID, missing, rows[0].ID})
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Equal(t, 3, found[rows[3].ID].Index)
		require.Nil(t, found[missing])
		found, err = orm.FindMany(ctx, audios, []int64{})
		require.NoError(t, err)
		require.Empty(t, found)
		_, err = orm.FindMany(ctx, audios, []string{"1"})
		require.ErrorContains(t, err, "the primary key Audio.id is of type int64, and K is string")

		require.NoError(t, orm.CreateTables(ctx, db, (*Seat)(nil)))
		type key struct {
			Room   string
			Number int64
		}
		var seats []*Seat
		var keys []key
		for i := range int64(450) {
			seats = append(seats, &Seat{Room: "a", Number: i}, &Seat{Room: "b", Number: i})
			keys = append(keys, key{"a", i})
		}
		require.NoError(t, orm.Objects[Seat](db).BulkCreate(ctx, seats))
		all, err := orm.FindMany(ctx, orm.Objects[Seat](db), append(keys, key{"c", 1}))
		require.NoError(t, err)
		require.Len(t, all, 450)
		for _, k := range keys {
			require.Equal(t, &Seat{Room: k.Room, Number: k.Number}, all[k])
		}
		_, err = orm.FindMany(ctx, orm.Objects[Seat](db), []int64{1})
		require.ErrorContains(t, err, "the primary key has 2 columns")
	})
}

func TestS43_RefreshReadsARowAgain(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		project, rows := studio(ctx, t, db, 2)
		audios := orm.Objects[Audio](db)
		row := *rows[0]
		_, err := audios.Filter(F("id").Eq(row.ID)).Update(ctx, query.Set("text", "other"), query.Set("path", "p"))
		require.NoError(t, err)
		require.NoError(t, audios.Refresh(ctx, &row))
		require.Equal(t, "other", row.Text)
		require.Equal(t, "p", *row.Path)
		require.Nil(t, row.Project)
		require.NoError(t, audios.Related("project").Refresh(ctx, &row))
		require.Equal(t, project.ID, row.Project.ID)
		require.NoError(t, audios.DeleteRow(ctx, &row))
		gone := row
		require.ErrorIs(t, audios.Refresh(ctx, &gone), orm.ErrNotFound)
		require.Equal(t, row, gone)
		require.Error(t, audios.Refresh(ctx, nil))
		require.Error(t, audios.Refresh(ctx, &Audio{}), "it has no key")
	})
}

func TestS43_DeleteRowWithItsVersion(t *testing.T) {
	withDocuments(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		docs := orm.Objects[Document](db)
		mine := &Document{Title: "a"}
		require.NoError(t, docs.Create(ctx, mine))
		theirs, err := docs.Get(ctx)
		require.NoError(t, err)
		require.NoError(t, docs.Save(ctx, theirs))
		require.ErrorIs(t, docs.DeleteRow(ctx, mine), orm.ErrStale)
		require.NoError(t, docs.DeleteRow(ctx, theirs))
		require.ErrorIs(t, docs.DeleteRow(ctx, theirs), orm.ErrStale)
		n, err := docs.Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)

		_, rows := studio(ctx, t, db, 2)
		audios := orm.Objects[Audio](db)
		require.NoError(t, audios.DeleteRow(ctx, rows[0]))
		require.ErrorIs(t, audios.DeleteRow(ctx, rows[0]), orm.ErrNotFound)
		require.Error(t, audios.DeleteRow(ctx, nil))
		require.Error(t, audios.DeleteRow(ctx, &Audio{}))
		require.Error(t, audios.Filter(F("id").Eq(1)).DeleteRow(ctx, rows[1]))
		n, err = audios.Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}
