package clusters

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

// A replica that is gone, or too far behind, is left out and looked at again.
func TestR05_LeftOut(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		var log bytes.Buffer
		logged := &guarded{Buffer: &log}
		replica := b.Nodes[1]
		db := b.reading(orm.ReplicaWait(100*time.Millisecond), orm.WithLogger(slog.New(slog.NewTextHandler(logged, nil))))
		require.NoError(t, orm.Objects[number](db).Create(ctx, &number{ID: 1}))
		require.NoError(t, b.Caught(ctx, b.name, "SELECT count(*) FROM t"))

		require.NoError(t, replica.Lag(ctx, time.Minute))
		seen := hf.Seen(ctx, db)
		require.NoError(t, set(seen, db, 1, 1))
		began := time.Now()
		v, err := value(seen, db, 1)
		require.NoError(t, err)
		assert.EqualValues(t, 1, v, "the writer answers")
		assert.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)
		v, err = value(ctx, db, 1)
		require.NoError(t, err)
		assert.EqualValues(t, 1, v, "left out for all")
		assert.Contains(t, logged.String(), "left out")
		require.NoError(t, replica.Lag(ctx, 0))
		onReplica := func() bool {
			where := 0
			return readOnly(ctx, db, func(ctx context.Context) error { where = b.where(ctx, db); return nil }) == nil && where == 2
		}
		require.Eventually(t, onReplica, 40*time.Second, 50*time.Millisecond, "it is back")
		assert.Contains(t, logged.String(), "is back")

		stop, done := make(chan struct{}), make(chan error, 8)
		var reads atomic.Int64
		for range cap(done) {
			go func() {
				for {
					select {
					case <-stop:
						done <- nil
						return
					default:
					}
					_, err := value(ctx, db, 1)
					if err == nil {
						_, err = orm.Objects[number](db).OnReplica().Count(ctx)
					}
					if err != nil {
						done <- err
						return
					}
					reads.Add(1)
				}
			}()
		}
		before := reads.Load()
		require.Eventually(t, func() bool { return reads.Load() > before+50 }, 5*time.Minute, time.Millisecond)
		require.NoError(t, replica.Kill(ctx))
		before = reads.Load()
		require.Eventually(t, func() bool { return reads.Load() > before+200 }, 5*time.Minute, time.Millisecond)
		close(stop)
		for range cap(done) {
			assert.NoError(t, <-done, "readers go on")
		}
		require.NoError(t, replica.Start(ctx))
		require.Eventually(t, onReplica, 40*time.Second, 50*time.Millisecond, "it is back")
	})
}

// guarded is a buffer for several goroutines.
type guarded struct {
	mu sync.Mutex
	*bytes.Buffer
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Buffer.Write(p)
}

func (g *guarded) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Buffer.String()
}

// A replica that is gone does not keep a program from starting.
func TestR05_GoneAtOpen(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		require.NoError(t, b.Nodes[1].Kill(ctx))
		db := b.reading()
		require.NoError(t, orm.Objects[number](db).Create(ctx, &number{ID: 1, V: 7}))
		v, err := value(ctx, db, 1)
		require.NoError(t, err)
		assert.EqualValues(t, 7, v)
		require.NoError(t, b.Nodes[1].Start(ctx))
		require.Eventually(t, func() bool {
			where := 0
			return readOnly(ctx, db, func(ctx context.Context) error { where = b.where(ctx, db); return nil }) == nil && where == 2
		}, 40*time.Second, 50*time.Millisecond)
	})
}
