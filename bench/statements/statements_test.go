// Package statements compares the statements that applications send every day: with
// Holdfast, with bun, gorm and ent, and with database/sql by hand, all in one run.
package statements

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

type contestant struct {
	name string
	operations
}

// field opens a database and all contestants on it.
func field(b *testing.B, engine testdb.Engine) []contestant {
	at := testdb.New(b, engine)
	for _, text := range append([]string{schema[engine]}, tables...) {
		_, err := at.Admin.ExecContext(b.Context(), text)
		require.NoError(b, err)
	}
	for f := range folders {
		_, err := at.Admin.ExecContext(b.Context(), fmt.Sprintf("INSERT INTO folder (id, name) VALUES (%d, 'folder %d')", f+1, f+1))
		require.NoError(b, err)
		for n := range tracks {
			_, err := at.Admin.ExecContext(b.Context(), fmt.Sprintf("INSERT INTO track (id, folder_id, title, seconds) VALUES (%d, %d, 'a track with a title', %d)", f*tracks+n+1, f+1, 100+n))
			require.NoError(b, err)
		}
	}
	all := []contestant{{"holdfast", holdfast(b, at)}, {"bun", viaBun(b, at)}, {"sql", plain(b, at)}, {"gorm", viaGorm(b, at)}, {"ent", viaEnt(b, at)}}
	if engine == testdb.Postgres {
		all = append(all, contestant{"bunpgx", viaBunPgx(b, at)})
	}
	for range rows {
		require.NoError(b, all[0].insert(b.Context(), sample()))
	}
	same(b, all)
	return all
}

// same makes sure that all do the same work.
func same(b *testing.B, all []contestant) {
	want, err := all[0].byID(b.Context(), 5)
	require.NoError(b, err)
	for _, c := range all {
		require.NoError(b, c.change(b.Context(), 5), c.name)
		want.Index++
		got, err := c.byID(b.Context(), 5)
		require.NoError(b, err, c.name)
		got.CreatedAt, got.UpdatedAt = got.CreatedAt.UTC(), got.UpdatedAt.UTC()
		assert.Equal(b, want, got, c.name)
		list, err := c.first(b.Context(), 100)
		require.NoError(b, err, c.name)
		assert.Len(b, list, 100, c.name)
		added := sample()
		require.NoError(b, c.insert(b.Context(), added), c.name)
		assert.Greater(b, added.ID, int64(rows), c.name)
		require.NoError(b, c.insertMany(b.Context(), samples()), c.name)
		require.NoError(b, c.upsertMany(b.Context(), products(1)), c.name)
		if c.upsertRead != nil {
			some := products(2)
			some[3].Name = "another"
			require.NoError(b, c.upsertRead(b.Context(), some), c.name)
			assert.Equal(b, products(2), some, c.name)
		}
		all, err := c.tree(b.Context())
		require.NoError(b, err, c.name)
		require.Len(b, all, folders, c.name)
		assert.Len(b, all[9].Tracks, tracks, c.name)
		assert.Equal(b, &Track{ID: 200, FolderID: 10, Title: "a track with a title", Seconds: 119}, all[9].Tracks[19], c.name)
		totals, err := c.report(b.Context())
		require.NoError(b, err, c.name)
		require.Len(b, totals, folders, c.name)
		assert.Equal(b, Total{FolderID: 10, N: tracks, Longest: 119}, totals[9], c.name)
		some, err := c.page(b.Context(), 100)
		require.NoError(b, err, c.name)
		require.Len(b, some, page, c.name)
		assert.Equal(b, int64(101), some[0].ID, c.name)
	}
}

const upsertRead = "upsert and read 100"

// everyday are the operations that are compared.
var everyday = []struct {
	name string
	run  func(ctx context.Context, c contestant, i int) error
}{
	{"insert one", func(ctx context.Context, c contestant, _ int) error { return c.insert(ctx, sample()) }},
	{"select by id", func(ctx context.Context, c contestant, i int) error {
		_, err := c.byID(ctx, int64(i%rows+1))
		return err
	}},
	{"select 100 rows", func(ctx context.Context, c contestant, _ int) error {
		_, err := c.first(ctx, 100)
		return err
	}},
	{"update one", func(ctx context.Context, c contestant, i int) error {
		row := sample()
		row.ID, row.Index = int64(i%rows+1), i
		return c.update(ctx, row)
	}},
	{"lock and update", func(ctx context.Context, c contestant, i int) error { return c.change(ctx, int64(i%rows+1)) }},
	{"insert 100", func(ctx context.Context, c contestant, _ int) error { return c.insertMany(ctx, samples()) }},
	{"upsert 100", func(ctx context.Context, c contestant, i int) error { return c.upsertMany(ctx, products(i)) }},
	{upsertRead, func(ctx context.Context, c contestant, i int) error { return c.upsertRead(ctx, products(i)) }},
	{"prefetch 10x20", func(ctx context.Context, c contestant, _ int) error {
		_, err := c.tree(ctx)
		return err
	}},
	{"group-by report", func(ctx context.Context, c contestant, _ int) error {
		_, err := c.report(ctx)
		return err
	}},
	{"page of 50", func(ctx context.Context, c contestant, i int) error {
		_, err := c.page(ctx, int64(i*page%(rows-page)))
		return err
	}},
}

// contests are the everyday operations, each with one entrant per contestant.
func contests(b *testing.B, engine testdb.Engine) (all []contest) {
	contestants := field(b, engine)
	for _, op := range everyday {
		c := contest{name: op.name}
		for _, who := range contestants {
			if op.name == upsertRead && who.upsertRead == nil {
				continue
			}
			c.entrants = append(c.entrants, entrant{who.name, func(ctx context.Context, i int) error { return op.run(ctx, who, i) }})
		}
		all = append(all, c)
	}
	return all
}

// BenchmarkRatios has Holdfast, bun and database/sql take turns at the everyday
// statements.
func BenchmarkRatios(b *testing.B) { ratios(b, contests) }

// BenchmarkCost is each by itself, for its allocations.
func BenchmarkCost(b *testing.B) { costs(b, contests) }
