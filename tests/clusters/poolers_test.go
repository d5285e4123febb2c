package clusters

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// What a pooler needs to be trusted with blocks: its settings, and ours.
var poolers = []struct {
	kind     testdb.PoolerKind
	settings []string
	options  []postgres.Option
}{
	{testdb.PgBouncer, []string{"pool_mode=transaction", "max_prepared_statements=0"}, []postgres.Option{postgres.WithoutStatementCache()}},
	{testdb.Odyssey, []string{`pool "transaction"`, "pool_reserve_prepared_statement yes"}, nil},
	{testdb.Pgpool, nil, nil},
}

// A block that writes, nests, fails in part, locks and commits, through a pooler.
func TestB01_BehindAPooler(t *testing.T) {
	t.Parallel()
	c := pair(t)
	for _, p := range poolers {
		t.Run(string(p.kind), func(t *testing.T) {
			testdb.NeedsCluster(t, string(p.kind))
			b := newBed(t, c)
			b.arrange("INSERT INTO t VALUES (1, 0)")
			db := b.openFrom(postgres.Open(b.Pooler(t, p.kind, p.settings...).DSN(b.name), p.options...))
			for range 5 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
					if _, err := db.Exec(ctx, "UPDATE t SET v = v + 1 WHERE id = 1"); err != nil {
						return err
					}
					err := atomic.Do(ctx, db, func(ctx context.Context) error {
						_, err := db.Exec(ctx, "INSERT INTO t VALUES (1, 0)")
						return err
					})
					assert.ErrorIs(t, err, dialect.ErrUniqueViolation)
					var v int
					return db.QueryRow(ctx, "SELECT v FROM t WHERE id = 1 FOR UPDATE").Scan(&v)
				}, atomic.ResolveCommit()))
				cancel()
			}
			require.Equal(t, 5, b.number(b.Nodes[0], "SELECT v FROM t"))
			require.Zero(t, b.number(b.Nodes[0], "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"))
		})
	}
}

// The primary dies in the middle of a COMMIT. A pooler may say so in words of its own,
// where the server would have said nothing.
func TestB12_CommitBehindAPooler(t *testing.T) {
	t.Parallel()
	b := newBed(t, pair(t, testdb.Synchronous("on")))
	ctx := t.Context()
	primary, standby := b.Nodes[0], b.Nodes[1]
	for _, p := range poolers {
		t.Run(string(p.kind), func(t *testing.T) {
			db := b.openFrom(postgres.Open(b.Pooler(t, p.kind, p.settings...).DSN(b.name), p.options...))
			require.NoError(t, block(db, []string{"DELETE FROM t"}))
			require.NoError(t, standby.Cut(ctx))
			done := going(func() error { return block(db, []string{"INSERT INTO t VALUES (1, 1)"}) })
			b.soon(primary, waitingForStandby, 1)
			require.NoError(t, primary.Kill(ctx))
			err := <-done
			require.NoError(t, standby.Heal(ctx))
			require.NoError(t, primary.Start(ctx))
			require.ErrorIs(t, err, atomic.ErrCommitUnknown)
			require.NoError(t, b.Caught(ctx, b.name, "SELECT count(*) FROM t"))
			require.Equal(t, 1, b.number(primary, "SELECT count(*) FROM t"), "this time it was carried out")
		})
	}
}

// The primary dies under the pooler, and the standby takes over.
func TestMoneyBehindAPooler(t *testing.T) {
	for _, p := range poolers {
		t.Run(string(p.kind), func(t *testing.T) {
			t.Parallel()
			testdb.NeedsCluster(t, string(p.kind))
			b := newBed(t, pair(t, testdb.Synchronous("remote_apply")))
			pooler := b.Pooler(t, p.kind, p.settings...)
			db := b.openFrom(postgres.Open(pooler.DSN(b.name), p.options...), orm.WithCommitTimeout(10*time.Second))
			money(b, []*orm.DB{db}, func() {
				b.failover()
				if p.kind != testdb.Pgpool { // which looks for the primary itself
					require.NoError(t, pooler.Lead(t.Context(), b.Nodes[1]))
				}
			}, b.rejoin).kept(t).resolved(t)
		})
	}
}

func pair(t *testing.T, opts ...testdb.ClusterOption) *testdb.Machines {
	t.Helper()
	return testdb.Cluster(t, testdb.PostgresPair, opts...)
}

func (b *bed) failover() {
	b.t.Helper()
	require.NoError(b.t, b.Nodes[0].Kill(b.t.Context()))
	require.NoError(b.t, b.Nodes[1].Promote(b.t.Context()))
}

func (b *bed) rejoin() {
	b.t.Helper()
	require.NoError(b.t, b.Nodes[0].Restart(b.t.Context()))
}
