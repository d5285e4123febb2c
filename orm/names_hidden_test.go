package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// nameBed has these tables on each engine.
func nameBed(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB), models ...any) {
	t.Helper()
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		db := open(t, at)
		require.NoError(t, orm.CreateTables(t.Context(), db, models...))
		test(t, t.Context(), db)
	})
}

// nameSong has a table of which a common table expression has the name, as album has.
type nameSong struct {
	bun.BaseModel `bun:"table:songs"`
	ID            int64 `bun:",pk"`
	Name          string
	AlbumID       *int64
	Album         *nameAlbum    `bun:"rel:belongs-to,join:album_id=id"`
	Singers       []*nameSinger `bun:"m2m:song_singer,join:Song=Singer"`
}

type nameAlbum struct {
	bun.BaseModel `bun:"table:albums"`
	ID            int64 `bun:",pk"`
	Name          string
	Songs         []*nameSong `bun:"rel:has-many,join:id=album_id"`
}

type nameSinger struct {
	bun.BaseModel `bun:"table:singers"`
	ID            int64 `bun:",pk"`
	Name          string
}

type nameSongSinger struct {
	bun.BaseModel `bun:"table:song_singer"`
	SongID        int64       `bun:",pk"`
	SingerID      int64       `bun:",pk"`
	Song          *nameSong   `bun:"rel:belongs-to,join:song_id=id"`
	Singer        *nameSinger `bun:"rel:belongs-to,join:singer_id=id"`
}

// nameOldSong has the rows that such an expression puts out.
type nameOldSong struct {
	bun.BaseModel `bun:"table:old_songs"`
	ID            int64 `bun:",pk"`
	Name          string
}

// TestS32_NoCommonTableExpressionHidesATable: each is called like a table that the
// statement reads somewhere.
func TestS32_NoCommonTableExpressionHidesATable(t *testing.T) {
	nameBed(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		one := int64(1)
		require.NoError(t, orm.Objects[nameAlbum](db).BulkCreate(ctx, []*nameAlbum{{ID: 1, Name: "the album"}}))
		require.NoError(t, orm.Objects[nameSong](db).BulkCreate(ctx, []*nameSong{{ID: 1, Name: "new", AlbumID: &one}, {ID: 2, Name: "other"}}))
		require.NoError(t, orm.Objects[nameSinger](db).BulkCreate(ctx, []*nameSinger{{ID: 1, Name: "Ada"}}))
		require.NoError(t, orm.Objects[nameSongSinger](db).BulkCreate(ctx, []*nameSongSinger{{SongID: 1, SingerID: 1}}))
		require.NoError(t, orm.Objects[nameOldSong](db).BulkCreate(ctx, []*nameOldSong{{ID: 1, Name: "old"}}))
		songs := orm.Objects[nameSong](db)
		for _, name := range []string{"songs", "albums", "song_singer", "singers", "old_songs", "SONGS"} {
			old := query.With(name, query.Select(orm.Objects[nameOldSong](db), F("id"), F("name")))
			among := songs.Filter(F("id").In(query.Select(old, F("id"))))
			names, err := orm.Select[string](ctx, among, F("name"))
			require.NoError(t, err, name)
			require.Equal(t, []string{"new"}, names, name)
			names, err = orm.Select[string](ctx, among, F("album.name"))
			require.NoError(t, err, name)
			require.Equal(t, []string{"the album"}, names, name)
			rows, err := among.Related("album").Prefetch("singers").All(ctx)
			require.NoError(t, err, name)
			require.Len(t, rows, 1)
			require.Equal(t, "the album", rows[0].Album.Name, name)
			require.Equal(t, "Ada", rows[0].Singers[0].Name, name)
			n, err := among.Filter(query.Any("singers", F("name").Eq("Ada")), F("album.name").Eq("the album")).Count(ctx)
			require.NoError(t, err, name)
			require.EqualValues(t, 1, n, name)
			found, err := among.Filter(F("name").Eq("new"), query.Any("singers")).Exists(ctx)
			require.NoError(t, err, name)
			require.True(t, found, name)
			least, err := orm.Aggregate[string](ctx, among, query.Min(F("album.name")))
			require.NoError(t, err, name)
			require.Equal(t, "the album", least, name)

			// A table that it joins itself, and one that only a sub-select beside it reads.
			joined := query.With(name, query.Select(songs.Filter(F("album_id").Eq(1)), F("album.id"), F("album.name")))
			type both struct{ Name, Of string }
			got, err := orm.Select[both](ctx, songs.Join("mine", joined, F("mine.id").Eq(F("album_id"))), F("name"), F("mine.name").As("of"))
			require.NoError(t, err, name)
			require.Equal(t, []both{{"new", "the album"}}, got, name)
			type counted struct {
				Name string
				N    int64
			}
			each, err := orm.Select[counted](ctx, old, F("name"), query.Select(songs.Filter(F("id").Eq(query.Outer("id"))), query.Count()).Expr().As("n"))
			require.NoError(t, err, name)
			require.Equal(t, []counted{{"old", 1}}, each, name)
		}

		// The rows that are chosen for a change stand in such an expression on PostgreSQL.
		if db.Server().Can(dialect.UpdateReturning) {
			first := query.Select(orm.Objects[nameMatching](db).OrderBy("id").Limit(1), F("name"))
			require.NoError(t, orm.Objects[nameMatching](db).BulkCreate(ctx, []*nameMatching{{ID: 1, Name: "from the table"}}))
			changed, err := orm.Objects[nameOldSong](db).OrderBy("id").Limit(1).UpdateReturning(ctx, query.Set("name", first.Expr()))
			require.NoError(t, err)
			require.Len(t, changed, 1)
			require.Equal(t, "from the table", changed[0].Name)
		}
	}, (*nameSongSinger)(nil), (*nameSong)(nil), (*nameAlbum)(nil), (*nameSinger)(nil), (*nameOldSong)(nil), (*nameMatching)(nil))
}

type nameMatching struct {
	bun.BaseModel `bun:"table:matching"`
	ID            int64 `bun:",pk"`
	Name          string
}
