package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// The wire against the driver alone, each pair on the same data in one run.

func benchPair(b *testing.B, plain func(*testing.B, *sql.Conn), ours func(*testing.B, *user)) {
	dir := b.TempDir()
	const schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, at TIMESTAMP, n INTEGER)"
	const fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) " +
		"INSERT INTO t SELECT i, 'text ' || i, '2026-01-02 03:04:05.123456+00:00', i FROM n"
	b.Run("driver", func(b *testing.B) {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "plain.db")+"?_journal_mode=WAL&_timezone=UTC&_sync=OFF")
		require.NoError(b, err)
		defer func() { _ = db.Close() }()
		conn, err := db.Conn(context.Background())
		require.NoError(b, err)
		defer func() { _ = conn.Close() }()
		for _, q := range []string{"DROP TABLE IF EXISTS t", schema, fill} {
			_, err := conn.ExecContext(context.Background(), q)
			require.NoError(b, err)
		}
		b.ReportAllocs()
		plain(b, conn)
	})
	b.Run("wire", func(b *testing.B) {
		u := connect(b, open(b, Open(filepath.Join(dir, "ours.db"), Pragma("synchronous", "OFF"))))
		u.must("DROP TABLE IF EXISTS t")
		u.must(schema)
		u.must(fill)
		b.ReportAllocs()
		ours(b, u)
	})
}

func BenchmarkSelectOne(b *testing.B) {
	const query = "SELECT id, s, at, n FROM t WHERE id = ?"
	ctx, cancel := context.WithCancel(context.Background()) // as in a request
	defer cancel()
	benchPair(b, func(b *testing.B, c *sql.Conn) {
		for b.Loop() {
			var id, n int64
			var s string
			var at time.Time
			if err := c.QueryRowContext(ctx, query, 500).Scan(&id, &s, &at, &n); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, u *user) {
		row := make([]driver.Value, 4)
		for b.Loop() {
			rows, err := u.wire.Query(ctx, nil, query, []any{500})
			if err != nil {
				b.Fatal(err)
			}
			if err := rows.Next(row); err != nil {
				b.Fatal(err)
			}
			_ = rows.Close()
		}
	})
}

func BenchmarkSelectThousand(b *testing.B) {
	const query = "SELECT id, s, at, n FROM t"
	ctx := context.Background()
	benchPair(b, func(b *testing.B, c *sql.Conn) {
		for b.Loop() {
			rows, err := c.QueryContext(ctx, query)
			if err != nil {
				b.Fatal(err)
			}
			var id, n int64
			var s string
			var at time.Time
			for rows.Next() {
				if err := rows.Scan(&id, &s, &at, &n); err != nil {
					b.Fatal(err)
				}
			}
			_ = rows.Close()
		}
	}, func(b *testing.B, u *user) {
		row := make([]driver.Value, 4)
		for b.Loop() {
			rows, err := u.wire.Query(ctx, nil, query, nil)
			if err != nil {
				b.Fatal(err)
			}
			for err == nil {
				err = rows.Next(row)
			}
			if err != io.EOF {
				b.Fatal(err)
			}
			_ = rows.Close()
		}
	})
}

func BenchmarkBlockWithUpdate(b *testing.B) {
	const query = "UPDATE t SET n = n + 1, at = ? WHERE id = ?"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	now := time.Now()
	benchPair(b, func(b *testing.B, c *sql.Conn) {
		for b.Loop() {
			tx, err := c.BeginTx(ctx, nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := tx.ExecContext(ctx, query, now, 500); err != nil {
				b.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B, u *user) {
		for b.Loop() {
			if _, err := u.wire.Exec(ctx, []string{beginWrite}, query, []any{now, 500}); err != nil {
				b.Fatal(err)
			}
			if err := u.wire.Commit(ctx, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWriters has 8 blocks at a time that each write and then work for a
// moment, with the queue and with SQLite's own way of waiting.
func BenchmarkWriters(b *testing.B) {
	for name, queued := range map[string]bool{"queue": true, "polling": false} {
		b.Run(name, func(b *testing.B) {
			db := open(b, Open(file(b), Pragma("synchronous", "OFF"), BusyTimeout(time.Minute)))
			connect(b, db).must("CREATE TABLE t (n)")
			var users []*user
			for range 8 {
				u := connect(b, db)
				if !queued {
					u.wire.(*wire).queue = newQueue()
				}
				users = append(users, u)
			}
			var longest time.Duration
			var mu sync.Mutex
			b.ResetTimer()
			for b.Loop() {
				var wg sync.WaitGroup
				for _, u := range users {
					wg.Go(func() {
						for range 20 {
							start := time.Now()
							if err := u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"); err != nil {
								b.Error(err)
							}
							mu.Lock()
							longest = max(longest, time.Since(start))
							mu.Unlock()
							for at := time.Now(); time.Since(at) < 200*time.Microsecond; {
							}
							if err := u.commit(); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
			}
			b.ReportMetric(float64(b.N*8*20)/b.Elapsed().Seconds(), "blocks/s")
			b.ReportMetric(float64(longest.Milliseconds()), "ms-longest-wait")
		})
	}
}
