package clusters

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestGroupReplicationKeepsTheContract(t *testing.T) {
	c := testdb.Cluster(t, testdb.GroupReplication)
	for _, test := range []struct {
		name string
		run  func(*bed)
	}{
		{"B17_ADemotedPrimary", demotedPrimary},
		{"B17_ARouterThatDoesNotAsk", routerThatDoesNotAsk},
		{"Money", func(b *bed) { money(b, b.ways(0), nothing, nothing).known(b.t) }},
		{"MoneyWhileThePrimaryIsCutOff", func(b *bed) { groupFault(b, (*testdb.Node).Cut) }},
		{"MoneyWhileThePrimaryIsKilled", func(b *bed) { groupFault(b, (*testdb.Node).Kill) }},
		{"MoneyBehindAProxyWhileThePrimaryIsCutOff", func(b *bed) { proxyFault(b, testdb.HAProxyByRole, (*testdb.Node).Cut) }},
		{"MoneyBehindAProxyWhileThePrimaryIsKilled", func(b *bed) { proxyFault(b, testdb.HAProxyByRole, (*testdb.Node).Kill) }},
		{"MoneyBehindARouterWhileThePrimaryIsKilled", func(b *bed) {
			// The router goes to the next that can be reached, whatever it is.
			require.NoError(b.t, c.Nodes[1].Run(b.t.Context(), "", "SET GLOBAL group_replication_member_weight = 90"))
			proxyFault(b, testdb.MySQLRouter, (*testdb.Node).Kill)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.NoError(t, c.Nodes[0].Promote(t.Context()))
			test.run(newBed(t, c))
		})
	}
}

func TestGroupReplicationOfManyPrimariesKeepsTheContract(t *testing.T) {
	c := testdb.Cluster(t, testdb.GroupReplication, testdb.MultiPrimary())
	for _, test := range []struct {
		name string
		run  func(*bed)
	}{
		{"B17_AConflictAtCommit", groupConflict},
		{"B17_TwoNodesCount", groupCount},
		{"B08_AConflictBeforeASavepoint", conflictBeforeSavepoint},
		{"L03_LocksOfOneNode", func(b *bed) {
			b.arrange("INSERT INTO t VALUES (1, 0)")
			refusesToLock(b.t, b.on(b.Nodes[1]))
		}},
		{"MoneyWithTwoWriters", func(b *bed) { money(b, b.ways(0, 1), nothing, nothing).known(b.t) }},
		{"MoneyWhileANodeIsKilled", func(b *bed) { groupFault(b, (*testdb.Node).Kill) }},
		{"MoneyWhileANodeIsCutOff", func(b *bed) { groupFault(b, (*testdb.Node).Cut) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBed(t, c)
			b.flat = true // see conflictBeforeSavepoint
			test.run(b)
		})
	}
}

// groupFault has two nodes written to, as far as they take it, while something
// happens to the first. It is a member again afterwards.
func groupFault(b *bed, fault func(*testdb.Node, context.Context) error) {
	ctx := b.t.Context()
	struck := b.Nodes[0]
	money(b, b.ways(0, 1), func() {
		require.NoError(b.t, fault(struck, ctx))
		require.Eventually(b.t, func() bool {
			writer, err := b.Writer(ctx)
			return err == nil && writer != struck && writer.Run(ctx, b.name, "UPDATE t SET v = v") == nil
		}, time.Minute, 100*time.Millisecond, "the others go on")
		wait(moneyTime() / 3)
		require.NoError(b.t, struck.Heal(ctx))
	}, func() { require.NoError(b.t, struck.Restart(ctx)) }).kept(b.t).resolved(b.t, 0)
}

// A row that another node has changed meanwhile: the server rolls the block back at
// COMMIT, in words of its own.
func groupConflict(b *bed) {
	db, rival := b.on(b.Nodes[0]), b.Nodes[1].Open(b.t, b.name)
	b.arrange("INSERT INTO t VALUES (1, 0)")
	for round := range rounds(10, 50) {
		attempts := 0
		err := atomic.Do(b.t.Context(), db, func(ctx context.Context) error {
			attempts++
			if _, err := db.Exec(ctx, "UPDATE t SET v = v + 1 WHERE id = 1"); err != nil || attempts > 1 {
				return err
			}
			for { // the other side may be the one that loses
				_, err := rival.ExecContext(b.t.Context(), "UPDATE t SET v = v + 1 WHERE id = 1")
				if err == nil {
					return nil
				}
				b.t.Logf("round %d, the rival: %v", round, err)
			}
		}, atomic.Retry(3))
		require.NoError(b.t, err, "round %d, %d attempts", round, attempts)
	}
	require.NoError(b.t, b.Caught(b.t.Context(), b.name, "SELECT v FROM t"))
	require.Equal(b.t, 2*rounds(10, 50), b.number(b.Nodes[0], "SELECT v FROM t"))
}

// Another node's change ends a transaction from outside. The server says so to the
// next statement that reads or writes, but SAVEPOINT and ROLLBACK TO are answered with
// OK and hide it: what follows is committed without what came before, and on the other
// nodes with it.
func conflictBeforeSavepoint(b *bed) {
	ctx := b.t.Context()
	first, second := b.Nodes[0], b.Nodes[1]
	db := b.on(first)
	b.arrange("INSERT INTO t VALUES (3, 0), (4, 0), (6, 0)")
	update := func(ctx context.Context, text string) error {
		_, err := db.Exec(ctx, text)
		return err
	}
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := update(ctx, "UPDATE t SET v = 7 WHERE id IN (3, 6)"); err != nil {
			return err
		}
		if err := second.Run(b.t.Context(), b.name, "UPDATE t SET v = -1 WHERE id = 3"); err != nil {
			return err
		}
		b.soon(first, "SELECT v FROM t WHERE id = 3", -1)
		return atomic.Do(ctx, db, func(ctx context.Context) error { return update(ctx, "UPDATE t SET v = 7 WHERE id = 4") })
	})
	assert.Error(b.t, err)
	assert.NoError(b.t, b.Caught(ctx, b.name, "SELECT GROUP_CONCAT(id, ':', v ORDER BY id) FROM t"))
	assert.Zero(b.t, b.number(first, "SELECT COUNT(*) FROM t WHERE v = 7"), "rows of a block that ended with %v", err)
}

func groupCount(b *bed) {
	b.arrange("INSERT INTO t VALUES (1, 0)")
	const each = 20
	var counting sync.WaitGroup
	for _, db := range b.ways(0, 1) {
		counting.Go(func() {
			for range each {
				assert.NoError(b.t, block(db, []string{"UPDATE t SET v = v + 1 WHERE id = 1"},
					atomic.RetryPolicy{Max: 50, Base: 2 * time.Millisecond, Cap: 100 * time.Millisecond}))
			}
		})
	}
	counting.Wait()
	require.NoError(b.t, b.Caught(b.t.Context(), b.name, "SELECT v FROM t"))
	require.Equal(b.t, 2*each, b.number(b.Nodes[0], "SELECT v FROM t"))
}

// A server that was a primary answers "read only" on a healthy connection. The pool
// gives the connection up, whatever leads to the primary leads to another one, and
// Retry runs the block there.
func demotedPrimary(b *bed) {
	ctx := b.t.Context()
	first, second := b.Nodes[0], b.Nodes[1]
	proxy := b.Pooler(b.t, testdb.HAProxy)
	db := b.open(proxy.DSN(b.name))
	id := 0
	insert := func(opts ...atomic.Option) error {
		id++
		return block(db, []string{fmt.Sprintf("INSERT INTO t VALUES (%d, 0)", id)}, opts...)
	}
	require.NoError(b.t, insert())
	for _, to := range []*testdb.Node{second, first} {
		require.NoError(b.t, to.Promote(ctx))
		require.NoError(b.t, proxy.Lead(ctx, to))
		if to == second {
			require.NoError(b.t, insert(atomic.Retry(3)), "with Retry")
		} else {
			require.ErrorIs(b.t, insert(), dialect.ErrReadOnly)
		}
		require.NoError(b.t, insert(), "the next block")
	}
}

// A router that knows addresses alone leads to the first that can be reached, whatever
// it is. No retry can cure that; that it is said by its kind is all that can be had.
func routerThatDoesNotAsk(b *bed) {
	testdb.NeedsCluster(b.t, string(testdb.MySQLRouter))
	ctx := b.t.Context()
	db := b.open(b.Pooler(b.t, testdb.MySQLRouter).DSN(b.name))
	asking := b.open(b.Pooler(b.t, testdb.HAProxyByRole).DSN(b.name))
	require.NoError(b.t, block(db, []string{"INSERT INTO t VALUES (1, 0)"}))
	require.NoError(b.t, block(asking, []string{"INSERT INTO t VALUES (2, 0)"}))
	require.NoError(b.t, b.Nodes[1].Promote(ctx))
	require.ErrorIs(b.t, block(db, []string{"INSERT INTO t VALUES (3, 0)"}, atomic.Retry(3)), dialect.ErrReadOnly)
	require.Eventually(b.t, func() bool {
		return block(asking, []string{"INSERT INTO t VALUES (4, 0)"}, atomic.Retry(3)) == nil
	}, 20*time.Second, 50*time.Millisecond, "one that asks for the role finds the new primary")
	require.NoError(b.t, b.Nodes[0].Promote(ctx))
	require.NoError(b.t, block(db, []string{"INSERT INTO t VALUES (5, 0)"}, atomic.Retry(3)))
}
