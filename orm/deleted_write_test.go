package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// book is a row, deleted or not.
func book(ctx context.Context, t *testing.T, db *orm.DB, title string) *Book {
	t.Helper()
	b, err := orm.Objects[Book](db).WithDeleted().Filter(F("title").Eq(title)).Get(ctx)
	require.NoError(t, err)
	return b
}

func TestS61_DeleteMarks(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books := orm.Objects[Book](db)
		a, b := book(ctx, t, db, "a"), book(ctx, t, db, "b")
		n, err := books.WithDeleted().Filter(F("title").Lt("c")).Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		now := book(ctx, t, db, "a")
		require.NotNil(t, now.DeletedAt)
		require.WithinDuration(t, time.Now(), *now.DeletedAt, time.Minute)
		require.Equal(t, *now.DeletedAt, now.UpdatedAt, "a deletion is a change")
		require.Equal(t, a.Version+1, now.Version)
		require.Equal(t, b, book(ctx, t, db, "b"), "it was deleted already, and stays as it was")
		n, err = books.Filter(F("title").Lt("c")).Delete(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		_, err = books.OnlyDeleted().Delete(ctx)
		require.ErrorContains(t, err, "deleted already")
		_, err = books.OnlyDeleted().DeleteReturning(ctx)
		require.ErrorContains(t, err, "deleted already")

		// By a condition on another table, which deleted rows of it do not meet.
		n, err = books.Filter(F("rack.name").Eq("down")).Delete(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = books.Filter(F("rack.name").Eq("up")).Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		require.Equal(t, "d", titles(ctx, t, books))
	})
}

func TestS61_DeleteReturningMarks(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books := orm.Objects[Book](db)
		rows, err := books.OrderBy("-pages").Limit(2).DeleteReturning(ctx)
		require.NoError(t, err)
		require.Equal(t, "dc", joined(rows))
		for _, row := range rows {
			require.Equal(t, book(ctx, t, db, row.Title), row, "as it is in the database")
			require.NotNil(t, row.DeletedAt)
		}
		rows, err = books.OrderBy("title").DeleteReturning(ctx) // an order that the server alone knows
		require.NoError(t, err)
		require.Equal(t, "a", joined(rows))
		require.Equal(t, book(ctx, t, db, "a"), rows[0])
		rows, err = books.DeleteReturning(ctx)
		require.NoError(t, err)
		require.Empty(t, rows)

		// An UpdateReturning that takes rows out of the query returns them.
		rows, err = books.OnlyDeleted().OrderBy("id").Limit(1).UpdateReturning(ctx, query.Set("deleted_at", nil))
		require.NoError(t, err)
		require.Equal(t, "a", joined(rows))
		require.Nil(t, rows[0].DeletedAt)
		rows, err = books.UpdateReturning(ctx, query.Set("pages", F("pages").Add(1)))
		require.NoError(t, err)
		require.Equal(t, "a", joined(rows))
		require.EqualValues(t, 11, rows[0].Pages)
	})
}

func TestS61_DeleteRowMarks(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books, racks, topics, links := orm.Objects[Book](db), orm.Objects[Rack](db), orm.Objects[Topic](db), orm.Objects[BookTopic](db)
		a, stale := book(ctx, t, db, "a"), book(ctx, t, db, "a")
		require.NoError(t, books.DeleteRow(ctx, a))
		require.Equal(t, book(ctx, t, db, "a"), a, "the struct holds what the database has")
		require.NotNil(t, a.DeletedAt)
		require.ErrorIs(t, books.DeleteRow(ctx, a), orm.ErrStale)
		require.ErrorIs(t, books.DeleteRow(ctx, stale), orm.ErrStale)
		require.ErrorIs(t, books.Save(ctx, stale), orm.ErrStale, "it was deleted meanwhile")
		require.ErrorIs(t, books.BulkSave(ctx, []*Book{stale, book(ctx, t, db, "c")}), orm.ErrStale)
		require.ErrorIs(t, books.Refresh(ctx, stale), orm.ErrNotFound)
		require.Nil(t, stale.DeletedAt)
		inBlock(ctx, t, db, func(ctx context.Context) { require.ErrorIs(t, orm.Lock(ctx, db, stale), orm.ErrNotFound) })
		require.NoError(t, books.WithDeleted().Refresh(ctx, stale))
		require.Equal(t, a, stale)

		// Fields of every type that can hold it.
		up, err := racks.Get(ctx)
		require.NoError(t, err)
		require.NoError(t, racks.DeleteRow(ctx, up))
		require.False(t, up.DeletedAt.IsZero())
		require.ErrorIs(t, racks.DeleteRow(ctx, up), orm.ErrNotFound)
		require.ErrorIs(t, racks.Save(ctx, up), orm.ErrNotFound)
		require.ErrorIs(t, racks.BulkSave(ctx, []*Rack{up}), orm.ErrNotFound)
		x, err := topics.Filter(F("name").Eq("x")).Get(ctx)
		require.NoError(t, err)
		require.NoError(t, topics.DeleteRow(ctx, x))
		link, err := links.Filter(F("topic_id").Eq(x.ID)).First(ctx)
		require.NoError(t, err)
		require.NoError(t, links.DeleteRow(ctx, link))
		back, err := topics.WithDeleted().Find(ctx, x.ID)
		require.NoError(t, err)
		require.Equal(t, back, x)
		gone, err := links.WithDeleted().Find(ctx, link.BookID, link.TopicID)
		require.NoError(t, err)
		require.True(t, link.DeletedAt.Valid)
		require.Equal(t, gone, link)

		// What is written by way of WithDeleted may be deleted.
		up.Name = "under"
		require.NoError(t, racks.WithDeleted().Save(ctx, up))
		up.Name = "over"
		require.NoError(t, racks.WithDeleted().BulkSave(ctx, []*Rack{up}))
		saved, err := racks.OnlyDeleted().Find(ctx, up.ID)
		require.NoError(t, err)
		require.Equal(t, "over", saved.Name)
		n, err := racks.OnlyDeleted().Update(ctx, query.Set("name", "both"))
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		require.Error(t, racks.OnlyDeleted().Create(ctx, &Rack{}))
		require.NoError(t, racks.WithDeleted().Create(ctx, &Rack{Name: "new"}))
		require.NoError(t, racks.Create(ctx, &Rack{Name: "born so", SoftDelete: models.SoftDelete{DeletedAt: start}}))
		born, err := racks.OnlyDeleted().Filter(F("name").Eq("born so")).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, start, born.DeletedAt)
	})
}

func TestS61_ForceDelete(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books := orm.Objects[Book](db)
		_, err := db.Exec(ctx, "DELETE FROM book_topic")
		require.NoError(t, err)
		n, err := books.Filter(F("title").Lt("c")).ForceDelete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n, "the rows that the query reads")
		require.Equal(t, "bcd", titles(ctx, t, books.WithDeleted()))
		b := book(ctx, t, db, "b")
		stale := *b
		stale.Version--
		require.ErrorIs(t, books.ForceDeleteRow(ctx, &stale), orm.ErrStale)
		require.NoError(t, books.ForceDeleteRow(ctx, b))
		require.NoError(t, books.ForceDeleteRow(ctx, book(ctx, t, db, "c")))
		require.ErrorIs(t, books.ForceDeleteRow(ctx, b), orm.ErrStale)
		d := book(ctx, t, db, "d")
		require.NoError(t, books.DeleteRow(ctx, d))
		n, err = books.ForceDelete(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = books.OnlyDeleted().Filter(F("deleted_at").Le(*d.DeletedAt)).ForceDelete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		n, err = orm.Objects[Rack](db).WithDeleted().ForceDelete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		require.ErrorContains(t, books.ForceDeleteRow(ctx, nil), "nil")
		require.ErrorContains(t, books.RestoreRow(ctx, nil), "nil")
		_, err = books.Limit(1).ForceDelete(ctx)
		require.ErrorContains(t, err, "Limit")

		// A model without the tag deletes anyway.
		require.NoError(t, orm.CreateTables(ctx, db, (*Parent)(nil)))
		p := &Parent{Name: "p"}
		require.NoError(t, orm.Objects[Parent](db).Create(ctx, p))
		require.NoError(t, orm.Objects[Parent](db).ForceDeleteRow(ctx, p))
		n, err = orm.Objects[Parent](db).ForceDelete(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestS62_Restore(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books := orm.Objects[Book](db)
		b := book(ctx, t, db, "b")
		n, err := books.Restore(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n, "of the others nothing is changed")
		now := book(ctx, t, db, "b")
		require.Nil(t, now.DeletedAt)
		require.Equal(t, b.Version+1, now.Version)
		require.True(t, now.UpdatedAt.After(b.UpdatedAt))
		require.Equal(t, "abcd", titles(ctx, t, books))
		require.EqualValues(t, 1, book(ctx, t, db, "a").Version)

		require.ErrorIs(t, books.RestoreRow(ctx, b), orm.ErrStale)
		require.ErrorIs(t, books.RestoreRow(ctx, now), orm.ErrStale, "it is not deleted")
		require.NoError(t, books.DeleteRow(ctx, now))
		require.NoError(t, books.RestoreRow(ctx, now))
		require.Equal(t, book(ctx, t, db, "b"), now)
		require.NoError(t, books.Save(ctx, now))
		down, err := orm.Objects[Rack](db).OnlyDeleted().Get(ctx)
		require.NoError(t, err)
		require.NoError(t, orm.Objects[Rack](db).RestoreRow(ctx, down))
		require.True(t, down.DeletedAt.IsZero())
		require.ErrorIs(t, orm.Objects[Rack](db).RestoreRow(ctx, down), orm.ErrNotFound)
		topic, err := orm.Objects[Topic](db).OnlyDeleted().Get(ctx)
		require.NoError(t, err)
		require.NoError(t, orm.Objects[Topic](db).RestoreRow(ctx, topic))
		require.True(t, topic.DeletedAt.IsZero())
	})
}

// Two sessions: who deletes moves the version, so that who saves is told.
func TestS61_ADeletionIsNotOverwritten(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books := orm.Objects[Book](db)
		for _, remove := range []func(b *Book) error{
			func(b *Book) error { return books.DeleteRow(ctx, b) },
			func(b *Book) error { _, err := books.Filter(F("id").Eq(b.ID)).Delete(ctx); return err },
			func(b *Book) error { _, err := books.Filter(F("id").Eq(b.ID)).DeleteReturning(ctx); return err },
		} {
			mine := book(ctx, t, db, "a")
			require.NoError(t, remove(book(ctx, t, db, "a")))
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				mine.Pages = 99
				return books.WithDeleted().Save(ctx, mine)
			})
			require.ErrorIs(t, err, orm.ErrStale)
			require.NotNil(t, book(ctx, t, db, "a").DeletedAt)
			_, err = books.Restore(ctx)
			require.NoError(t, err)
		}
	})
}

// Coarse has a column that keeps whole seconds.
type Coarse struct {
	bun.BaseModel `bun:"table:coarse"`
	models.AutoID
	DeletedAt time.Time `bun:"type:timestamp(0),soft_delete,nullzero"`
}

func TestS61_TheTimeIsWhatTheColumnKeeps(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Coarse)(nil)))
		rows := orm.Objects[Coarse](db)
		row, other := &Coarse{}, &Coarse{}
		require.NoError(t, rows.Create(ctx, row))
		require.NoError(t, rows.Create(ctx, other))
		require.NoError(t, rows.DeleteRow(ctx, row))
		got, err := rows.WithDeleted().Find(ctx, row.ID)
		require.NoError(t, err)
		require.Equal(t, got.DeletedAt, row.DeletedAt)
		require.WithinDuration(t, time.Now(), row.DeletedAt, time.Minute)
		n, err := rows.Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		// And to the microsecond where it can, on every engine.
		b := book(ctx, t, db, "c")
		require.NoError(t, orm.Objects[Book](db).DeleteRow(ctx, b))
		require.Equal(t, b.DeletedAt, book(ctx, t, db, "c").DeletedAt)
	})
}
