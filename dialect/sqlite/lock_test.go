package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// L4: whoever comes second waits, for as long as it was told to.
func TestL04_Busy(t *testing.T) {
	for name, tt := range map[string]struct {
		busy time.Duration // BusyTimeout
		wait *time.Duration
		min  time.Duration
	}{
		"BusyTimeout": {100 * time.Millisecond, nil, 100 * time.Millisecond},
		"NoWait":      {time.Minute, limit(0), 0},
		"Wait":        {time.Minute, limit(300 * time.Millisecond), 300 * time.Millisecond},
	} {
		for where, path := range map[string]string{"file": file(t), "memory": memory} {
			t.Run(name+" "+where, func(t *testing.T) {
				t.Parallel() // it waits
				db := open(t, Open(path, BusyTimeout(tt.busy)))
				holder, other := connect(t, db), connect(t, db)
				holder.must("CREATE TABLE t (a)")
				require.NoError(t, holder.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
				start := time.Now()
				err := other.beginWithin(tt.wait, backend.TxOptions{}, "SELECT 1")
				took := time.Since(start)
				var p *backend.PrefixError
				require.ErrorAs(t, err, &p)
				e := db.Engine.Classify(p.Err)
				assert.Equal(t, dialect.ErrLockNotAvailable, e.Kind)
				assert.Equal(t, "SQLITE_BUSY", e.Code)
				assert.GreaterOrEqual(t, took, tt.min)
				assert.Less(t, took, 20*time.Second)
				assert.True(t, other.wire.Idle())
				require.NoError(t, other.wire.Rollback(context.Background(), db.Engine.LockWait(0).Restore))
				require.NoError(t, holder.commit())
				assert.Equal(t, tt.busy.Milliseconds(), other.one("PRAGMA busy_timeout"), "B23")
				assert.NoError(t, other.beginWithin(limit(0), backend.TxOptions{}, "SELECT 1"))
			})
		}
	}
}

// It may be the block around that has the lock, which then never ends: the error says
// what to do about it.
func TestL04_WhoWaitsForTheBlockAround(t *testing.T) {
	db := open(t, Open(file(t)))
	holder, other := connect(t, db), connect(t, db)
	holder.must("CREATE TABLE t (a)")
	require.NoError(t, holder.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
	e := backend.Classify(db, other.beginWithin(limit(0), backend.TxOptions{}, "SELECT 1"))
	require.Equal(t, dialect.ErrLockNotAvailable, e.Kind)
	for _, way := range []string{"pass that block's ctx", "Independent or Suspended before that block's first write", "atomic.OnCommit"} {
		require.Contains(t, e.Message, way)
	}
	require.NoError(t, other.wire.Rollback(context.Background(), db.Engine.LockWait(0).Restore))
	require.NoError(t, holder.commit())
}

// The same between pools, where SQLite itself has to find out.
func TestL04_BusyElsewhere(t *testing.T) {
	path := file(t)
	holder := connect(t, open(t, Open(path)))
	db := open(t, Open(path, BusyTimeout(100*time.Millisecond)))
	other := connect(t, db)
	holder.must("CREATE TABLE t (a)")
	require.NoError(t, holder.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
	start := time.Now()
	err := other.beginWithin(limit(0), backend.TxOptions{}, "SELECT 1")
	assert.Equal(t, dialect.ErrLockNotAvailable, other.kind(err))
	assert.Less(t, time.Since(start), 5*time.Second, "the holder never ends")
	other.rollback()
	_, err = other.exec("PRAGMA busy_timeout = 100")
	require.NoError(t, err)
	_, err = other.exec("INSERT INTO t VALUES (2)")
	assert.Equal(t, dialect.ErrLockNotAvailable, other.kind(err))
	assert.Equal(t, int64(0), other.one("SELECT count(*) FROM t"), "readers do not wait")
	require.NoError(t, holder.commit())
	other.must("INSERT INTO t VALUES (2)")
}

func TestWaitEndsWithContext(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		t.Parallel() // it waits
		holder, other := connect(t, db), connect(t, db)
		holder.must("CREATE TABLE t (a)")
		require.NoError(t, holder.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := other.wire.Exec(ctx, []string{"PRAGMA busy_timeout = 60000", beginWrite}, "SELECT 1", nil)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		var p *backend.PrefixError
		assert.ErrorAs(t, err, &p)
		assert.Less(t, time.Since(start), 30*time.Second)
		assert.True(t, other.wire.Idle())
	})
}

// A connection that is closed in the middle of a transaction frees the lock and
// the queue.
func TestB13_DiscardedConnection(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		u, other := connect(t, db), connect(t, db)
		u.must("CREATE TABLE t (a)")
		require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
		u.discard()
		require.NoError(t, other.beginWithin(limit(0), backend.TxOptions{}, "INSERT INTO t VALUES (2)"))
		require.NoError(t, other.commit())
		assert.Equal(t, int64(1), other.one("SELECT count(*) FROM t"), "rolled back")

		// So do rows of a write outside a block that are left half-read.
		rows, err := other.wire.Query(context.Background(), nil, "INSERT INTO t VALUES (3), (4) RETURNING a", nil)
		require.NoError(t, err)
		assert.False(t, other.wire.Idle())
		require.NoError(t, rows.Close())
		third := connect(t, db)
		require.NoError(t, third.beginWithin(limit(0), backend.TxOptions{}, "SELECT 1"))
		require.NoError(t, third.commit())
		assert.Equal(t, int64(3), third.one("SELECT count(*) FROM t"))
	})
}

func TestMemory(t *testing.T) {
	db := open(t, Open(memory))
	a, b := connect(t, db), connect(t, db)
	a.must("CREATE TABLE t (a)")
	a.must("INSERT INTO t VALUES (1)")
	assert.Equal(t, int64(1), b.one("SELECT a FROM t"), "one database for all connections")
	a.discard()
	b.discard()
	assert.Equal(t, int64(1), connect(t, db).one("SELECT a FROM t"), "it outlives its connections")

	other := connect(t, open(t, Open(memory)))
	assert.Equal(t, int64(0), other.one("SELECT count(*) FROM sqlite_master"), "and is nobody else's")
}

// Nothing is lost and nobody fails while many blocks read and then write.
func TestConcurrentBlocks(t *testing.T) {
	const workers, rounds = 8, 40
	each := map[string]func() dialect.Source{
		"file":   func() dialect.Source { return Open(file(t), BusyTimeout(time.Minute)) },
		"memory": func() dialect.Source { return Open(memory, BusyTimeout(time.Minute)) },
	}
	for name, source := range each {
		t.Run(name, func(t *testing.T) {
			db := open(t, source())
			connect(t, db).must("CREATE TABLE t (n INTEGER)")
			connect(t, db).must("INSERT INTO t VALUES (0)")
			var wg sync.WaitGroup
			for range workers {
				u := connect(t, db)
				wg.Go(func() {
					for range rounds {
						if !assert.NoError(t, u.begin(backend.TxOptions{}, "SELECT n FROM t")) {
							return
						}
						n := u.one("SELECT n FROM t").(int64)
						u.must("UPDATE t SET n = ?", n+1)
						if !assert.NoError(t, u.commit()) {
							return
						}
					}
				})
			}
			wg.Wait()
			assert.Equal(t, int64(workers*rounds), connect(t, db).one("SELECT n FROM t"))
		})
	}
}

// Two pools on one file know nothing of each other's queue.
func TestConcurrentPools(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.db")
	connect(t, open(t, Open(path))).must("CREATE TABLE t (pool, n)")
	var wg sync.WaitGroup
	var kept atomic.Int64
	for pool := range 2 {
		db := open(t, Open(path, BusyTimeout(time.Minute)))
		for range 2 {
			u := connect(t, db)
			wg.Go(func() {
				for n := range 25 {
					if err := u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (?, ?)", pool, n); assert.NoError(t, err, fmt.Sprint(pool)) {
						if assert.NoError(t, u.commit()) {
							kept.Add(1)
						}
					}
				}
			})
		}
	}
	wg.Wait()
	assert.Equal(t, kept.Load(), connect(t, open(t, Open(path))).one("SELECT count(*) FROM t"))
}

// Where readers wait for the writer, nobody waits for it again, to find out whether a
// connection may be used on, after a block that was not to wait.
func TestB19_ARefusalIsTheEndOfTheWait(t *testing.T) {
	db := open(t, Open(":memory:", BusyTimeout(30*time.Second)))
	holder, other := connect(t, db), connect(t, db)
	holder.must("CREATE TABLE t (a)")
	require.NoError(t, holder.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
	require.Equal(t, dialect.ErrLockNotAvailable, other.kind(other.beginWithin(limit(0), backend.TxOptions{}, "SELECT 1")))
	restore := db.Engine.LockWait(0).Restore
	start := time.Now()
	_, err := other.wire.Exec(t.Context(), nil, restore[0], nil)
	require.NoError(t, err)
	assert.True(t, other.wire.(backend.SessionTeller).SessionChanged(), "it cannot be told, and so the connection is closed")
	assert.Less(t, time.Since(start), 10*time.Second)
	require.NoError(t, holder.commit())
}
