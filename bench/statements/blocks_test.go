package statements

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/bench/peers"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

const updateOne = "UPDATE t SET v = v + 1 WHERE id = ?"

func oneUpdate(ctx context.Context, b peers.Block) error { return b.Exec(ctx, updateOne, 1) }

// blocks are what a block adds to its statements, without latency.
var blocks = []struct {
	name string
	run  peers.Func
}{
	{"empty block", func(context.Context, peers.Block) error { return nil }},
	{"block of 1 UPDATE", oneUpdate},
	{"block of 10 UPDATE", func(ctx context.Context, b peers.Block) error {
		for range 10 {
			if err := oneUpdate(ctx, b); err != nil {
				return err
			}
		}
		return nil
	}},
	{"block of 3 levels", func(ctx context.Context, b peers.Block) error {
		if err := oneUpdate(ctx, b); err != nil {
			return err
		}
		return b.Block(ctx, func(ctx context.Context, b peers.Block) error {
			if err := oneUpdate(ctx, b); err != nil {
				return err
			}
			return b.Block(ctx, oneUpdate)
		})
	}},
}

func blockContests(b *testing.B, engine testdb.Engine) (all []contest) {
	at := testdb.New(b, engine)
	for _, s := range []string{"CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)", "INSERT INTO t (id, v) VALUES (1, 0)"} {
		_, err := at.Admin.ExecContext(b.Context(), s)
		require.NoError(b, err)
	}
	contestants := []struct {
		name    string
		library peers.Library
	}{{"holdfast", peers.Holdfast}, {"bun", peers.Bun}, {"sql", peers.DatabaseSQL}}
	if engine != testdb.Postgres {
		contestants[2].library = peers.DatabaseSQLInterpolated
	}
	for _, block := range blocks {
		all = append(all, contest{name: block.name})
	}
	for _, c := range contestants {
		db, err := c.library.Open(b.Context(), engine, at.DSN, 1)
		require.NoError(b, err)
		b.Cleanup(func() { _ = db.Close() })
		for i, block := range blocks {
			all[i].entrants = append(all[i].entrants, entrant{c.name,
				func(ctx context.Context, _ int) error { return db.Block(ctx, block.run) }})
		}
	}
	return all
}

// BenchmarkBlockRatios has Holdfast, bun and database/sql take turns at blocks.
func BenchmarkBlockRatios(b *testing.B) { ratios(b, blockContests) }

// BenchmarkBlockCost is each by itself, for its allocations.
func BenchmarkBlockCost(b *testing.B) { costs(b, blockContests) }
