package clusters

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// proxyFault moves money through what leads to the writer, while something happens to
// the node that is it. The writer that comes after it has the marks of the one before,
// so that nothing stays unknown to who asks.
func proxyFault(b *bed, kind testdb.PoolerKind, fault func(*testdb.Node, context.Context) error) {
	ctx := b.t.Context()
	struck := b.Nodes[0]
	db := b.open(b.Pooler(b.t, kind).DSN(b.name), orm.WithCommitTimeout(20*time.Second))
	money(b, []*orm.DB{db}, func() {
		require.NoError(b.t, fault(struck, ctx))
		require.Eventually(b.t, func() bool {
			return block(db, []string{"UPDATE t SET v = v WHERE id = 0"}) == nil
		}, time.Minute, 100*time.Millisecond, "it leads to another")
		wait(moneyTime() / 3)
		require.NoError(b.t, struck.Heal(ctx))
	}, func() { require.NoError(b.t, struck.Restart(ctx)) }).kept(b.t).resolved(b.t)
}

// What leads to the primary of a pair asks each server what it is.
func TestMoneyBehindAProxyByRole(t *testing.T) {
	t.Parallel()
	testdb.NeedsCluster(t, string(testdb.HAProxyByRole))
	b := newBed(t, pair(t, testdb.Synchronous("on")))
	db := b.open(b.Pooler(t, testdb.HAProxyByRole).DSN(b.name), orm.WithCommitTimeout(20*time.Second))
	money(b, []*orm.DB{db}, b.failover, b.rejoin).kept(t).resolved(t)
}
