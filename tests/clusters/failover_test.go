package clusters

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// COMMITs get lost with their primary. Of some the standby, which takes over, has
// everything and has not applied it yet; of others it has never heard, and gives the
// numbers of their transactions to somebody else. With the table of marks ResolveCommit
// knows of each what became of it; without, that nobody knows.
func TestB12_ResolveCommitAfterAFailover(t *testing.T) {
	for _, marks := range []string{"with marks", "without marks"} {
		t.Run(marks, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, testdb.Cluster(t, testdb.PostgresPair, testdb.Synchronous("remote_apply")))
			if marks == "without marks" {
				b.withoutMarks()
			}
			db := b.open(b.DSN(b.name), orm.WithCommitTimeout(30*time.Second))
			asked, unknown := 0, 0
			for range rounds(1, 25) {
				for id, result := range lostInAFailover(b, resolving(db)) {
					asked++
					if isUnknown(result.err) {
						unknown++
						continue
					}
					require.Equal(t, result.there, result.err == nil, "%d: %v", id, result.err)
				}
			}
			t.Logf("%d COMMITs lost, %d of unknown outcome", asked, unknown)
			if marks == "with marks" {
				assert.Zero(t, unknown)
			} else {
				assert.Equal(t, asked, unknown, "by its number alone")
			}
		})
	}
}

// Whoever was not told asks again with his key, at the server that took over: what
// that knows of is not done again, and what it has never heard of is done.
func TestO01_OnceAfterAFailover(t *testing.T) {
	t.Parallel()
	b := newBed(t, testdb.Cluster(t, testdb.PostgresPair, testdb.Synchronous("remote_apply")))
	b.arrange(postgres.OnceTable, "CREATE TABLE effect (id BIGINT NOT NULL)")
	db := b.open(b.DSN(b.name), orm.WithCommitTimeout(30*time.Second))
	var ran atomic.Int64
	asked, unknown, again := 0, 0, 0
	for round := range rounds(1, 25) {
		once := func(id int) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			key := fmt.Sprintf("%d/%d", round, id)
			got, err := hf.Once(ctx, db, key, func(ctx context.Context) (string, error) {
				ran.Add(1)
				for _, text := range []string{"INSERT INTO t VALUES (%d, 0)", "INSERT INTO effect VALUES (%d)"} {
					if _, err := db.Exec(ctx, fmt.Sprintf(text, id)); err != nil {
						return "", err
					}
				}
				return key, nil
			}, hf.Wait(10*time.Second))
			if err == nil {
				require.Equal(t, key, got)
			}
			return err
		}
		require.NoError(t, block(db, []string{"DELETE FROM effect"}))
		for id, result := range lostInAFailover(b, once) {
			asked++
			if result.err != nil {
				require.True(t, isUnknown(result.err), "%d: %v", id, result.err)
				unknown++
			}
			before := ran.Load()
			require.NoError(t, once(id))
			require.Equal(t, result.there, ran.Load() == before, "%d: it runs if it is not there", id)
			again += int(ran.Load() - before)
		}
		writer, err := b.Writer(t.Context())
		require.NoError(t, err)
		require.Equal(t, 8, b.number(writer, "SELECT count(*) FROM effect WHERE id < 8"))
		require.Equal(t, 8, b.number(writer, "SELECT count(DISTINCT id) FROM effect WHERE id < 8"))
	}
	t.Logf("%d COMMITs lost, %d of unknown outcome; asked again %d ran again", asked, unknown, again)
}

type lost struct {
	err   error
	there bool
}

func resolving(db *orm.DB) func(id int) error {
	return func(id int) error {
		return block(db, []string{fmt.Sprintf("INSERT INTO t VALUES (%d, 0)", id)}, hf.ResolveCommit())
	}
}

// lostInAFailover loses eight COMMITs, of which the standby receives the half, and
// returns what insert, a block that makes a row of this number, said of each.
func lostInAFailover(b *bed, insert func(id int) error) (all []lost) {
	const half = 4
	ctx, t := b.t.Context(), b.t
	primary, err := b.Writer(ctx)
	require.NoError(t, err)
	standby := b.Others(primary)[0]
	require.NoError(t, primary.Run(ctx, b.name, "DELETE FROM t"))
	require.NoError(t, standby.Lag(ctx, time.Minute)) // remote_apply waits for it
	var results []<-chan error
	begin := func() {
		for range half {
			id := len(results)
			results = append(results, going(func() error { return insert(id) }))
		}
		b.soon(primary, waitingForStandby, len(results))
	}
	begin()
	sent, err := primary.Ask(ctx, b.name, "SELECT pg_current_wal_flush_lsn()::text")
	require.NoError(t, err)
	b.soon(standby, "SELECT (pg_last_wal_receive_lsn() >= '"+sent+"')::int", 1)
	require.NoError(t, standby.Cut(ctx))
	begin()
	require.NoError(t, primary.Kill(ctx))
	require.NoError(t, standby.Promote(ctx))
	require.NoError(t, standby.Run(ctx, b.name, "DO $$ BEGIN FOR n IN 100..150 LOOP INSERT INTO t VALUES (n, n); COMMIT; END LOOP; END $$"))
	for id, result := range results {
		result := lost{err: <-result}
		result.there = b.number(standby, fmt.Sprintf("SELECT count(*) FROM t WHERE id = %d", id)) == 1
		require.Equal(t, id < half, result.there, "%d", id)
		all = append(all, result)
	}
	require.NoError(t, standby.Heal(ctx))
	require.NoError(t, standby.Lag(ctx, 0))
	require.NoError(t, primary.Restart(ctx))
	return all
}
