package clusters

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	counter "sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// One cluster for all of it: each test has a database of its own, and leaves three
// nodes behind.
func TestGaleraKeepsTheContract(t *testing.T) {
	c := testdb.Cluster(t, testdb.Galera)
	for _, test := range []struct {
		name string
		run  func(*bed)
	}{
		{"B08_AConflictBetweenTwoStatements", galeraConflictBetweenStatements},
		{"L03_LocksOfOneNode", galeraLocks},
		{"MoneyWithTwoWriters", galeraTwoWriters},
		{"MoneyWhileANodeIsKilled", galeraKilled},
		{"MoneyWhileANodeIsCutOff", galeraCut},
		{"MoneyBehindAProxyWhileANodeIsKilled", func(b *bed) { proxyFault(b, testdb.HAProxyByRole, (*testdb.Node).Kill) }},
		{"MoneyBehindAProxyWhileANodeIsCutOff", func(b *bed) { proxyFault(b, testdb.HAProxyByRole, (*testdb.Node).Cut) }},
		{"B12_CommitsOfANodeThatIsCutOff", galeraCommitsOfACutNode},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(newBed(t, c)) })
	}
}

// The other node's conflict ends the transaction at any moment, also between two
// statements of a block. Nothing of it may stay, whatever Do says; and what it says
// is true.
func galeraConflictBetweenStatements(b *bed) {
	first, second := b.Nodes[0], b.Nodes[1]
	db, rival := b.on(first), second.Open(b.t, b.name)
	b.arrange("INSERT INTO t VALUES (3, 0), (4, 0), (6, 0)")
	for round := 1; round <= rounds(40, 200); round++ {
		started := make(chan struct{})
		done := going(func() error {
			return atomic.Do(context.Background(), db, func(ctx context.Context) error {
				for _, id := range []int{6, 3} {
					if _, err := db.Exec(ctx, "UPDATE t SET v = ? WHERE id = ?", round, id); err != nil {
						return err
					}
				}
				close(started)
				return deep(ctx, db, 300, func(ctx context.Context) error {
					_, err := db.Exec(ctx, "UPDATE t SET v = ? WHERE id = 4", round)
					return err
				})
			})
		})
		<-started
		wait(rand.N(3 * time.Millisecond))
		_, err := rival.ExecContext(b.t.Context(), "UPDATE t SET v = -1 WHERE id = 3")
		require.NoError(b.t, err)
		err = <-done
		want := 0
		if err == nil {
			want = 2
		}
		require.NoError(b.t, b.Caught(b.t.Context(), b.name, "SELECT SUM(v) FROM t"))
		got := b.number(first, fmt.Sprintf("SELECT COUNT(*) FROM t WHERE v = %d AND id IN (4, 6)", round))
		require.Equal(b.t, want, got, "round %d: rows of a block that ended with %v", round, err)
		if err != nil {
			require.True(b.t, isConflict(err), "round %d: %v", round, err)
		}
	}
}

// deep nests this many blocks around fn: so many savepoints travel in front of its
// first statement.
func deep(ctx context.Context, db *orm.DB, n int, fn func(context.Context) error) error {
	if n == 0 {
		return fn(ctx)
	}
	return atomic.Do(ctx, db, func(ctx context.Context) error { return deep(ctx, db, n-1, fn) })
}

// What one node locks, another does not know.
func galeraLocks(b *bed) {
	db := b.on(b.Nodes[1])
	b.arrange("INSERT INTO t VALUES (1, 0)")
	refusesToLock(b.t, db)
}

func galeraTwoWriters(b *bed) {
	money(b, b.ways(0, 1), nothing, nothing).known(b.t)
}

func galeraKilled(b *bed) {
	ctx := b.t.Context()
	killed := b.Nodes[1]
	money(b, b.ways(0, 1), func() {
		require.NoError(b.t, killed.Kill(ctx))
		wait(moneyTime() / 3)
	}, func() { require.NoError(b.t, killed.Restart(ctx)) }).kept(b.t).resolved(b.t, 1)
}

func galeraCut(b *bed) {
	ctx := b.t.Context()
	cut := b.Nodes[1]
	money(b, b.ways(0, 1), func() {
		require.NoError(b.t, cut.Cut(ctx))
		wait(8 * time.Second) // until it has given up
		require.NoError(b.t, cut.Heal(ctx))
	}, func() { require.NoError(b.t, cut.Restart(ctx)) }).kept(b.t).resolved(b.t)
}

// A COMMIT that the node cannot bring to the others may be carried out when it finds
// them again, whatever its error says.
func galeraCommitsOfACutNode(b *bed) {
	ctx := b.t.Context()
	cut := b.Nodes[1]
	db := b.on(cut, orm.WithCommitTimeout(30*time.Second))
	var results sync.Map
	var healed counter.Bool
	var next counter.Int64
	var inserting sync.WaitGroup
	for worker := range 10 {
		var opts []atomic.Option
		if worker%2 == 0 {
			opts = append(opts, atomic.ResolveCommit())
		}
		inserting.Go(func() {
			for err := error(nil); err == nil && !healed.Load(); {
				id := next.Add(1)
				err = block(db, []string{fmt.Sprintf("INSERT INTO t VALUES (%d, 0)", id)}, opts...)
				results.Store(id, err)
			}
		})
	}
	wait(moment)
	require.NoError(b.t, cut.Cut(ctx))
	require.Eventually(b.t, func() bool {
		_, err := cut.Ask(ctx, b.name, "SELECT COUNT(*) FROM t")
		return err != nil
	}, 30*time.Second, 50*time.Millisecond, "it knows that it is cut off")
	require.NoError(b.t, cut.Heal(ctx))
	healed.Store(true)
	require.NoError(b.t, cut.Restart(ctx))
	inserting.Wait()
	require.NoError(b.t, b.Caught(ctx, b.name, "SELECT COUNT(*) FROM t"))
	results.Range(func(id, result any) bool {
		err, _ := result.(error)
		there := b.number(cut, fmt.Sprintf("SELECT COUNT(*) FROM t WHERE id = %d", id)) == 1
		switch {
		case err == nil:
			assert.True(b.t, there, "%d is missing", id)
			return true
		case !isUnknown(err):
			assert.False(b.t, there, "%d is there", id)
		}
		b.t.Logf("%d: there %t: %v", id, there, err)
		return true
	})
}
