package postgres

import (
	"database/sql/driver"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkAgainstStdlib sends the same statements in turn through the Wire and
// through pgx's stdlib, and reports the one's share of the other: in time
// (time/stdlib) and in the client's CPU (cpu/stdlib).
func BenchmarkAgainstStdlib(b *testing.B) {
	db := fresh(b, `CREATE TABLE item (id bigint PRIMARY KEY, name text, price numeric(10,2), made timestamptz DEFAULT now());
		INSERT INTO item SELECT n, 'item ' || n, n FROM generate_series(0, 999) n;
		CREATE TABLE log (id bigserial, note text, n int)`)

	for name, s := range map[string]struct {
		query string
		rows  bool
		args  func(i int) []any
	}{
		"select by id":  {`SELECT id, name, price, made FROM item WHERE id = $1`, true, func(i int) []any { return []any{i % 1000} }},
		"select 100":    {`SELECT id, name, price, made FROM item WHERE id < $1`, true, func(int) []any { return []any{100} }},
		"insert":        {`INSERT INTO log (note, n) VALUES ($1, $2)`, false, func(i int) []any { return []any{"note", i} }},
		"insert return": {`INSERT INTO log (note, n) VALUES ($1, $2) RETURNING id`, true, func(i int) []any { return []any{"note", i} }},
	} {
		b.Run(name, func(b *testing.B) {
			wire, std := take(b, open(b, db.DSN)), stock(b, db.DSN)
			ctx := b.Context()
			compare(b, func(i int) {
				if s.rows {
					drain(b)(wire.Query(ctx, nil, s.query, s.args(i)))
					return
				}
				_, err := wire.Exec(ctx, nil, s.query, s.args(i))
				require.NoError(b, err)
			}, func(i int) {
				values := namedValues(s.args(i))
				if s.rows {
					drain(b)(std.QueryContext(ctx, s.query, values))
					return
				}
				_, err := std.ExecContext(ctx, s.query, values)
				require.NoError(b, err)
			})
		})
	}
}

// compare runs one and the other in turn. It compares the median of the time, so
// that what else the machine does weighs little, and the sum of the CPU, which
// the system counts too coarsely for a single statement.
func compare(b *testing.B, one, other func(i int)) {
	const turn = 20
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	one(0)
	other(0)
	var spent, spentOther spending
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		do, on := one, &spent
		if i/turn%2 == 1 {
			do, on = other, &spentOther
		}
		start, cpu := time.Now(), threadTime()
		do(i)
		on.time = append(on.time, time.Since(start))
		on.cpu += threadTime() - cpu
	}
	b.ReportMetric(float64(median(spent.time))/float64(median(spentOther.time)), "time/stdlib")
	b.ReportMetric(float64(spent.cpu)/float64(spentOther.cpu), "cpu/stdlib")
}

type spending struct {
	time []time.Duration
	cpu  time.Duration
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func threadTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD, which package syscall does not name
	var u syscall.Rusage
	_ = syscall.Getrusage(thread, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func drain(t testing.TB) func(driver.Rows, error) {
	return func(rows driver.Rows, err error) {
		require.NoError(t, err)
		row := make([]driver.Value, len(rows.Columns()))
		for rows.Next(row) == nil {
		}
		require.NoError(t, rows.Close())
	}
}
