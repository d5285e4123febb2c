package orm_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestGetOrCreate(t *testing.T) {
	withDocuments(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		docs := orm.Objects[Document](db)
		first := &Document{Title: "a", State: "done"}
		created, err := docs.GetOrCreate(ctx, first, "title")
		require.NoError(t, err)
		require.True(t, created)
		second := &Document{Title: "a", State: "other"}
		created, err = docs.GetOrCreate(ctx, second, "title")
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, first, second)

		// The key that is violated is not the one that was asked for.
		_, err = docs.GetOrCreate(ctx, &Document{Title: "a", Hits: 77}, "hits")
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		_, err = docs.GetOrCreate(ctx, &Document{}, "ttl")
		var fe *query.FieldError
		require.ErrorAs(t, err, &fe)
		_, err = docs.GetOrCreate(ctx, &Document{})
		require.ErrorContains(t, err, "name the fields")
		_, err = docs.GetOrCreate(ctx, nil, "title")
		require.ErrorContains(t, err, "nil")
	})
}

// What the row leaves to the server nobody knows before: it would be created anew each time.
func TestS23_NobodyIsFoundByWhatIsLeft(t *testing.T) {
	withProducts(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		products := orm.Objects[Product](db)
		for i := range 2 {
			var refused *query.FieldError
			_, err := products.GetOrCreate(ctx, &Product{Name: string(rune('a' + i))}, "state")
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "state", refused.Name)
			_, err = products.UpdateOrCreate(ctx, &Product{Name: string(rune('a' + i))}, "state")
			require.ErrorAs(t, err, &refused)
		}
		_, err := products.Get(ctx)
		require.ErrorIs(t, err, orm.ErrNotFound)
		created, err := products.GetOrCreate(ctx, &Product{Name: "a", State: "new"}, "state")
		require.NoError(t, err)
		require.True(t, created)
		created, err = products.GetOrCreate(ctx, &Product{Name: "b", State: "new"}, "state")
		require.NoError(t, err)
		require.False(t, created)
		created, err = products.GetOrCreate(ctx, &Product{}, "id")
		require.NoError(t, err, "a counted key that is not given is in no row")
		require.True(t, created)
	})
}

func TestUpdateOrCreate(t *testing.T) {
	withDocuments(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		docs := orm.Objects[Document](db)
		first := &Document{Title: "a", State: "done"}
		created, err := docs.UpdateOrCreate(ctx, first, "title")
		require.NoError(t, err)
		require.True(t, created)
		second := &Document{Title: "a", State: "other", Hits: 9}
		created, err = docs.UpdateOrCreate(ctx, second, "title")
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, first.ID, second.ID)
		require.Equal(t, first.CreatedAt, second.CreatedAt)
		require.EqualValues(t, 2, second.Version)
		got, err := docs.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, second, got)
		_, err = docs.UpdateOrCreate(ctx, &Document{Title: "a", Hits: 77}, "hits")
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
	})
}

// Many at the same time create one row, in blocks of their own.
func TestOneRowIsCreatedByMany(t *testing.T) {
	withDocuments(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		var created atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				d := &Document{Title: "same", Hits: i + 1}
				var mine bool
				var err error
				if i%2 == 0 {
					mine, err = orm.Objects[Document](db).GetOrCreate(ctx, d, "title")
				} else {
					mine, err = orm.Objects[Document](db).UpdateOrCreate(ctx, d, "title")
				}
				if err != nil {
					t.Error(err)
				}
				if mine {
					created.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, created.Load())
		n, err := orm.Objects[Document](db).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

// A block goes on after the row that it wanted to create turned out to exist
// already, though its own snapshot does not show it.
func TestB06_GetOrCreateInABlock(t *testing.T) {
	withDocuments(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine == dialect.SQLite {
			return // the block is the only writer: nobody can come in between
		}
		docs, theirs := orm.Objects[Document](db), &Document{Title: "a", Hits: 5}
		outside := ctx
		err := hf.Do(ctx, db, func(ctx context.Context) error {
			n, err := docs.Count(ctx) // the snapshot, where there is one
			require.NoError(t, err)
			require.Zero(t, n)
			require.NoError(t, docs.Create(outside, theirs))
			mine := &Document{Title: "a"}
			created, err := docs.GetOrCreate(ctx, mine, "title")
			if err != nil {
				return err
			}
			require.False(t, created)
			require.Equal(t, theirs, mine)
			_, err = docs.UpdateOrCreate(ctx, &Document{Title: "a", Hits: 6}, "title")
			return err
		})
		hits := 6
		if v := db.Server().Version; db.Server().Engine == dialect.MariaDB && v.AtLeast(11, 6, 2) { // innodb_snapshot_isolation
			require.ErrorIs(t, err, dialect.ErrSerializationFailure)
			hits = 5
		} else {
			require.NoError(t, err)
		}
		got, err := docs.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, hits, got.Hits)
	})
}
