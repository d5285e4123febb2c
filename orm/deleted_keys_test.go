package orm_test

import (
	"context"
	"fmt"
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

func TestS63_ADeletedRowHoldsTheKey(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books := orm.Objects[Book](db)
		before := book(ctx, t, db, "b")
		up := before.RackID
		fresh := func() *Book { return &Book{Title: "b", Pages: 7, RackID: up} }
		require.ErrorIs(t, books.Create(ctx, fresh()), dialect.ErrUniqueViolation)
		for name, write := range map[string]func(ctx context.Context) error{
			"GetOrCreate":    func(ctx context.Context) error { _, err := books.GetOrCreate(ctx, fresh(), "title"); return err },
			"UpdateOrCreate": func(ctx context.Context) error { _, err := books.UpdateOrCreate(ctx, fresh(), "title"); return err },
			"Update": func(ctx context.Context) error {
				return books.BulkCreate(ctx, []*Book{{Title: "aa", RackID: up}, fresh(), {Title: "c", RackID: up}}, query.OnConflict("title").Update())
			},
			"Update of a column": func(ctx context.Context) error {
				return books.BulkCreate(ctx, []*Book{fresh()}, query.OnConflict("title").Update("pages"))
			},
			"Set": func(ctx context.Context) error {
				return books.BulkCreate(ctx, []*Book{fresh()}, query.OnConflict("title").Set(query.Set("pages", 8)))
			},
		} {
			require.ErrorIs(t, write(ctx), orm.ErrDeleted, name)
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				_, err := books.Filter(F("title").Eq("d")).Update(ctx, query.Set("pages", 44))
				require.NoError(t, err)
				err = atomic.Do(ctx, db, write)
				require.ErrorIs(t, err, orm.ErrDeleted, name)
				return nil // the nested block took the write back
			})
			require.NoError(t, err, name)
			require.Equal(t, before, book(ctx, t, db, "b"), name)
			require.EqualValues(t, 30, book(ctx, t, db, "c").Pages, name)
			require.Equal(t, "acd", titles(ctx, t, books), name)
		}
		_, err := books.GetOrCreate(ctx, fresh(), "title")
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)

		// DoNothing leaves rows alone, deleted ones too.
		require.NoError(t, books.BulkCreate(ctx, []*Book{fresh(), {Title: "e", RackID: up}}, query.OnConflict("title").DoNothing()))
		require.Equal(t, before, book(ctx, t, db, "b"))
		require.Equal(t, "acde", titles(ctx, t, books))

		row := fresh()
		created, err := books.WithDeleted().GetOrCreate(ctx, row, "title")
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, before, row, "it says that it is deleted")

		// Who asks for deleted rows writes over them, and they come back.
		remove := func() {
			t.Helper()
			require.Nil(t, book(ctx, t, db, "b").DeletedAt)
			require.NoError(t, books.DeleteRow(ctx, book(ctx, t, db, "b")))
		}
		row = fresh()
		created, err = books.WithDeleted().UpdateOrCreate(ctx, row, "title")
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, book(ctx, t, db, "b"), row)
		require.EqualValues(t, 7, row.Pages)
		remove()
		rows := []*Book{fresh(), {Title: "f", RackID: up}}
		require.NoError(t, books.WithDeleted().BulkCreate(ctx, rows, query.OnConflict("title").Update()))
		require.Equal(t, book(ctx, t, db, "b"), rows[0])
		remove()
		row = fresh()
		require.NoError(t, books.BulkCreate(ctx, []*Book{row}, query.OnConflict("title").Update("deleted_at", "pages")))
		require.Equal(t, book(ctx, t, db, "b"), row)
		remove()
		row = fresh()
		require.NoError(t, books.BulkCreate(ctx, []*Book{row}, query.OnConflict("title").Set(query.Set("deleted_at", nil))))
		require.Equal(t, book(ctx, t, db, "b"), row)
		remove()
		row = fresh()
		require.NoError(t, books.WithDeleted().BulkCreate(ctx, []*Book{row}, query.OnConflict("title").Update("pages")))
		require.Equal(t, book(ctx, t, db, "b"), row)
		require.NotNil(t, row.DeletedAt, "nobody said that it comes back")

		// A restored row meets one that has taken its key.
		if db.Server().Engine == dialect.Postgres || db.Server().Engine == dialect.SQLite {
			require.NoError(t, orm.CreateTables(ctx, db, (*Seal)(nil)))
			_, err = db.Exec(ctx, "CREATE UNIQUE INDEX seal_code ON seal (code) WHERE deleted_at IS NULL")
			require.NoError(t, err)
			seals := orm.Objects[Seal](db)
			for n := range int64(3) {
				created, err := seals.GetOrCreate(ctx, &Seal{Code: "x", N: n}, "code")
				require.NoError(t, err)
				require.True(t, created)
				deleted, err := seals.Delete(ctx)
				require.NoError(t, err)
				require.EqualValues(t, 1, deleted)
			}
			_, err = seals.Restore(ctx)
			require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		}
	})
}

// Seal has a key that is unique among the rows that are not deleted.
type Seal struct {
	bun.BaseModel `bun:"table:seal"`
	models.AutoID
	models.SoftDelete
	Code string `bun:"type:varchar(20)"`
	N    int64
}

// Whoever deletes, restores or makes a row with the key at the same time: each gets an
// answer that fits, and there is one row.
func TestS63_ManyDeleteAndCreateTheSameKey(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books := orm.Objects[Book](db)
		up := book(ctx, t, db, "a").RackID
		var group sync.WaitGroup
		failures := make(chan error, 16*20)
		for n := range 16 {
			group.Go(func() {
				for i := range 20 {
					err := atomic.Do(ctx, db, func(ctx context.Context) error {
						switch (n + i) % 4 {
						case 0:
							_, err := books.Filter(F("title").Eq("b")).Delete(ctx)
							return err
						case 1:
							_, err := books.Filter(F("title").Eq("b")).Restore(ctx)
							return err
						case 2:
							row := &Book{Title: "b", RackID: up}
							created, err := books.GetOrCreate(ctx, row, "title")
							if err == nil && (created || row.DeletedAt != nil) {
								return fmt.Errorf("created %t, deleted %v", created, row.DeletedAt)
							}
							return err
						}
						row := &Book{Title: "b", RackID: up}
						err := books.BulkCreate(ctx, []*Book{row}, query.OnConflict("title").Update("pages"))
						if err == nil && row.DeletedAt != nil {
							return fmt.Errorf("written over a row that is deleted")
						}
						return err
					}, atomic.Retry(30))
					if err != nil {
						failures <- err
					}
				}
			})
		}
		group.Wait()
		close(failures)
		for err := range failures {
			require.ErrorIs(t, err, orm.ErrDeleted)
		}
		n, err := books.WithDeleted().Filter(F("title").Eq("b")).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}
