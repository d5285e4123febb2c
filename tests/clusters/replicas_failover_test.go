package clusters

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// With a DSN of both hosts the writer is found, and found again; each of them is a
// replica as well, whoever of them writes.
func TestR07_TheWriterIsFoundAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := newBed(t, testdb.Cluster(t, testdb.PostgresPair, testdb.Synchronous("on")))
	primary, standby := b.Nodes[0], b.Nodes[1]
	db := b.open(b.DSN(b.name), orm.ReplicaWait(5*time.Second), orm.WithReplicas(postgres.Open(primary.DSN(b.name)), postgres.Open(standby.DSN(b.name))))
	require.NoError(t, orm.Objects[number](db).Create(ctx, &number{ID: 1}))
	var written, read atomic.Int64
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(done)
		for n := int64(1); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			seen := hf.Seen(ctx, db)
			if set(seen, db, 1, n) != nil {
				continue // nobody writes now
			}
			written.Add(1)
			v, err := value(seen, db, 1)
			if err != nil {
				continue
			}
			read.Add(1)
			if v != n {
				done <- assert.AnError
				return
			}
		}
	}()
	some := func() {
		before := written.Load() + read.Load()
		require.Eventually(t, func() bool { return written.Load()+read.Load() > before+100 }, 5*time.Minute, time.Millisecond)
	}
	some()
	require.NoError(t, standby.Run(ctx, "", "ALTER SYSTEM SET synchronous_standby_names = ''"))
	require.NoError(t, primary.Kill(ctx))
	require.NoError(t, standby.Promote(ctx))
	some()
	require.NoError(t, primary.Restart(ctx))
	some()
	close(stop)
	require.NoError(t, <-done, "a write was not read")
	t.Logf("%d writes, %d reads", written.Load(), read.Load())
}

// After a COMMIT without an answer only the writer is sure to show what became of it.
// Where that was found out, a replica is as good.
func TestR03_ACommitThatNobodyKnowsOf(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		line := proxy.New(t, b.Nodes[0].Addr)
		way := *b.Nodes[0]
		way.Addr = line.Addr()
		commit := "COMMIT"
		if b.Nodes[0].Engine == testdb.Postgres {
			b.arrange(postgres.CommitsTable)
			commit += "\x00" // and not the table's name
		}
		db := b.on(&way, orm.ReplicaWait(time.Minute), orm.WithReplicas(b.source(b.Nodes[1].DSN(b.name))))
		require.NoError(t, orm.Objects[number](db).Create(ctx, &number{ID: 1}))
		require.NoError(t, b.Nodes[1].Lag(ctx, 200*time.Millisecond))
		for n, resolves := range []bool{false, true} {
			seen := hf.Seen(ctx, db)
			var options []hf.Option
			if resolves {
				options = append(options, hf.ResolveCommit())
			}
			line.On(commit, proxy.CutReply)
			err := hf.Do(seen, db, func(ctx context.Context) error {
				_, err := orm.Objects[number](db).Filter(query.F("id").Eq(1)).Update(ctx, query.Set("v", n+1))
				return err
			}, options...)
			require.Equal(t, !resolves, isUnknown(err), "%v", err)
			require.Equal(t, resolves, err == nil, "%v", err)
			assert.Equal(t, !resolves, hf.SeenToken(seen, db) == "writer")
			require.NoError(t, readOnly(seen, db, func(ctx context.Context) error {
				row, err := orm.Objects[number](db).Get(ctx)
				assert.EqualValues(t, n+1, row.V)
				assert.Equal(t, n+1, b.where(ctx, db), "the writer, and then the replica")
				return err
			}))
		}
	})
}

// A commit that was lost with the primary is not waited for.
func TestR06_AnotherHistory(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		primary, replica := b.Nodes[0], b.Nodes[1]
		db := b.reading()
		require.NoError(t, orm.Objects[number](db).Create(ctx, &number{ID: 1}))
		require.NoError(t, b.Caught(ctx, b.name, "SELECT count(*) FROM t"))
		require.NoError(t, replica.Cut(ctx))
		seen := hf.Seen(ctx, db)
		require.NoError(t, set(seen, db, 1, 1)) // will be lost
		token := hf.SeenToken(seen, db)
		require.NoError(t, primary.Kill(ctx))
		require.NoError(t, replica.Promote(ctx))

		// The replica of today is the writer itself.
		after := b.on(replica, orm.ReplicaWait(time.Minute), orm.WithReplicas(b.source(replica.DSN(b.name))))
		there, err := hf.SeenFrom(ctx, after, token)
		require.NoError(t, err)
		for range 3 {
			began := time.Now()
			v, err := value(there, after, 1)
			require.NoError(t, err)
			assert.EqualValues(t, 0, v, "it is lost")
			assert.Less(t, time.Since(began), 20*time.Second, "not waited for")
		}
		require.NoError(t, set(there, after, 1, 2))
		v, err := value(there, after, 1)
		require.NoError(t, err)
		assert.EqualValues(t, 2, v)
		t.Log(token, "became", hf.SeenToken(there, after))
		assert.NotEqual(t, token, hf.SeenToken(there, after))

		// And where the old primary has become its replica.
		require.NoError(t, replica.Heal(ctx))
		require.NoError(t, primary.Restart(ctx))
		require.NoError(t, b.Caught(ctx, b.name, "SELECT sum(v) FROM t"))
		after = b.on(replica, orm.ReplicaWait(time.Minute), orm.WithReplicas(b.source(primary.DSN(b.name))))
		there, err = hf.SeenFrom(ctx, after, token)
		require.NoError(t, err)
		for n := range int64(3) {
			began := time.Now()
			_, err := value(there, after, 1)
			require.NoError(t, err)
			assert.Less(t, time.Since(began), 20*time.Second, "not waited for")
			require.NoError(t, set(there, after, 1, 10+n))
			v, err := value(there, after, 1)
			require.NoError(t, err)
			assert.Equal(t, 10+n, v)
		}
	})
}
