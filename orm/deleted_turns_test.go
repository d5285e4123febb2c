package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestS61_RoundTrips(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *orm.DB, turns func(run func()) int) {
		ctx := context.Background()
		require.NoError(t, orm.CreateTables(ctx, db, (*Poster)(nil)))
		posters := orm.Objects[Poster](db)
		rows := []*Poster{{Name: "a"}, {Name: "b"}, {Name: "c"}}
		require.NoError(t, posters.BulkCreate(ctx, rows))
		require.Equal(t, 2, turns(func() {
			require.NoError(t, posters.DeleteRow(ctx, rows[0]))
			require.NoError(t, posters.RestoreRow(ctx, rows[0]))
		}))
		require.Equal(t, by(db, 5, 5, 2), turns(func() {
			got, err := posters.OrderBy("id").Limit(2).DeleteReturning(ctx)
			require.NoError(t, err)
			require.Len(t, got, 2)
			n, err := posters.Restore(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 2, n)
		}))
		require.Equal(t, 2, turns(func() {
			for _, change := range []func(ctx context.Context) (int64, error){posters.Delete, posters.Restore} {
				n, err := change(ctx)
				require.NoError(t, err)
				require.EqualValues(t, 3, n)
			}
		}))
		upsert := func() {
			require.NoError(t, posters.BulkCreate(ctx, []*Poster{{Name: "x"}, {Name: "y"}}, query.OnConflict("name").Update("name")))
		}
		upsert()
		require.Equal(t, by(db, 3, 2, 2), turns(upsert), "it may have to be taken back: there is a COMMIT")
	})
}

func TestS39_RoundTrips(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *orm.DB, turns func(run func()) int) {
		ctx := context.Background()
		c, all, ofA, _ := hallAndPerks(ctx, t, db)
		perks := make([]*Perk, 500)
		for i := range perks {
			perks[i] = &Perk{Name: "one of many"}
		}
		require.NoError(t, orm.Objects[Perk](db).BulkCreate(ctx, perks))
		require.NoError(t, orm.Link(ctx, db, c, "perks", all))
		require.Equal(t, 1, turns(func() { require.NoError(t, orm.Link(ctx, db, c, "perks", perks...)) }))
		require.Equal(t, 2, turns(func() {
			n, err := orm.Unlink(ctx, db, c, "perks", perks[:100]...)
			require.NoError(t, err)
			require.EqualValues(t, 100, n)
			require.NoError(t, orm.Link(ctx, db, c, "perks", perks[:100]...))
		}))
		there := func() {
			require.NoError(t, orm.SetLinks(ctx, db, c, "perks", all, ofA))
			require.NoError(t, orm.SetLinks(ctx, db, c, "perks", perks...))
		}
		there()
		require.Equal(t, 10, turns(there), "the row, its links, two changes, COMMIT")
		require.Equal(t, 3, turns(func() { require.NoError(t, orm.SetLinks(ctx, db, c, "perks", perks...)) }), "nothing to change")
	})
}
