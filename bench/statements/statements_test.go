// Package statements compares the statements that applications send every day:
// with Holdfast, with bun and with database/sql by hand, all in one run.
package statements

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

const rows = 1000

var schema = map[testdb.Engine]string{
	testdb.Postgres: `CREATE TABLE audio (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
		project_id bigint NOT NULL, user_id bigint NOT NULL, "index" bigint NOT NULL, text text NOT NULL, speed double precision NOT NULL,
		path text NOT NULL, is_audio_required boolean NOT NULL)`,
	testdb.MySQL: "CREATE TABLE audio (id BIGINT AUTO_INCREMENT PRIMARY KEY, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, " +
		"project_id BIGINT NOT NULL, user_id BIGINT NOT NULL, `index` BIGINT NOT NULL, text TEXT NOT NULL, speed DOUBLE NOT NULL, " +
		"path VARCHAR(200) NOT NULL, is_audio_required BOOLEAN NOT NULL)",
}

func sample() *Audio {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	return &Audio{CreatedAt: at, UpdatedAt: at, ProjectID: 7, UserID: 9, Index: 3,
		Text: "The quick brown fox jumps over the lazy dog.", Speed: 1.25, Path: "out/7/3.wav", IsAudioRequired: true}
}

type contestant struct {
	name string
	operations
}

// field opens a database and all contestants on it.
func field(b *testing.B, engine testdb.Engine) []contestant {
	at := testdb.New(b, engine)
	_, err := at.Admin.ExecContext(b.Context(), schema[engine])
	require.NoError(b, err)
	all := []contestant{{"holdfast", holdfast(b, at)}, {"bun", viaBun(b, at)}, {"sql", plain(b, at)}}
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
	}
}

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
}

// contests are the everyday operations, each with one entrant per contestant.
func contests(b *testing.B, engine testdb.Engine) (all []contest) {
	contestants := field(b, engine)
	for _, op := range everyday {
		c := contest{name: op.name}
		for _, who := range contestants {
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
