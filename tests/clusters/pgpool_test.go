package clusters

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// pgpool-II reads what passes through it, and loses count of a pipeline. Open finds
// that out; or it is told.
func TestPgpool(t *testing.T) {
	t.Parallel()
	testdb.NeedsCluster(t, string(testdb.Pgpool))
	b := newBed(t, pair(t))
	pooler := b.Pooler(t, testdb.Pgpool)
	for name, opts := range map[string][]postgres.Option{
		"found":      nil,
		"told":       {postgres.OneByOne()},
		"unprepared": {postgres.WithoutStatementCache()},
	} {
		t.Run(name, func(t *testing.T) {
			db := b.openFrom(postgres.Open(pooler.DSN(b.name), opts...))
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			for round := range 3 {
				require.NoError(t, block(db, []string{"DELETE FROM t"}))
				require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
					if _, err := db.Exec(ctx, "INSERT INTO t VALUES (?, ?)", 1, round); err != nil {
						return err
					}
					failed := atomic.Do(ctx, db, func(ctx context.Context) error {
						_, err := db.Exec(ctx, fmt.Sprintf("INSERT INTO t VALUES (?, %d)", round), 1)
						return err
					})
					assert.Error(t, failed)
					_, err := db.Exec(ctx, "UPDATE t SET v = v + ? WHERE id = ?", 1, 1)
					return err
				}, atomic.ResolveCommit(), atomic.LockTimeout(time.Second)))
				require.Equal(t, round+1, b.number(b.Nodes[0], "SELECT v FROM t"))
			}
		})
	}
}
