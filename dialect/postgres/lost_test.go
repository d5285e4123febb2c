package postgres

import (
	"context"
	"database/sql/driver"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

const (
	gone    = `SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)`
	asleep  = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep')`
	waiting = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock')`
)

// kill ends a session on the server and waits until it is gone.
func kill(t *testing.T, db testserver.Database, w backend.Wire) {
	t.Helper()
	_, err := db.Admin.ExecContext(t.Context(), `SELECT pg_terminate_backend($1)`, w.ID())
	require.NoError(t, err)
	eventually(t, db, gone, w.ID())
}

// meanwhile runs f beside the test, which has to wait for its end.
func meanwhile(f func()) (wait func()) {
	var running sync.WaitGroup
	running.Go(f)
	return running.Wait
}

// TestB08_AKilledConnectionIsKnownToBeLost kills the connection at each point of
// a block.
func TestB08_AKilledConnectionIsKnownToBeLost(t *testing.T) {
	t.Parallel()
	insert := `INSERT INTO item VALUES (2, 'b')`
	started := func(t *testing.T, w backend.Wire) { execAfter(t, w, begin, `INSERT INTO item VALUES (1, 'a')`) }
	points := map[string]func(t *testing.T, db testserver.Database, w backend.Wire) error{
		"before BEGIN": func(t *testing.T, db testserver.Database, w backend.Wire) error {
			kill(t, db, w)
			return fails(w.Exec(t.Context(), []string{"BEGIN", "SAVEPOINT hf_1"}, insert, nil))
		},
		"before an autocommitted statement": func(t *testing.T, db testserver.Database, w backend.Wire) error {
			kill(t, db, w)
			return fails(w.Exec(t.Context(), nil, insert, nil))
		},
		"between statements": func(t *testing.T, db testserver.Database, w backend.Wire) error {
			started(t, w)
			kill(t, db, w)
			return fails(w.Exec(t.Context(), []string{"SAVEPOINT hf_1"}, insert, nil))
		},
		"in a statement": func(t *testing.T, db testserver.Database, w backend.Wire) error {
			started(t, w)
			defer meanwhile(func() { eventually(t, db, asleep, w.ID()); kill(t, db, w) })()
			return fails(w.Exec(t.Context(), nil, `SELECT pg_sleep(30)`, nil))
		},
		"by its own statement": func(t *testing.T, db testserver.Database, w backend.Wire) error {
			started(t, w)
			return fails(w.Exec(t.Context(), nil, `SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)`, nil))
		},
		"in the rows": func(t *testing.T, db testserver.Database, w backend.Wire) error {
			started(t, w)
			rows, err := w.Query(t.Context(), nil, `SELECT n, repeat('x', 1000) FROM generate_series(1, 100000) n`, nil)
			require.NoError(t, err)
			_, err = db.Admin.ExecContext(t.Context(), `SELECT pg_terminate_backend($1)`, w.ID())
			require.NoError(t, err)
			_, err = readAll(rows)
			return err
		},
		"before COMMIT": func(t *testing.T, db testserver.Database, w backend.Wire) error {
			started(t, w)
			kill(t, db, w)
			return w.Commit(t.Context(), nil)
		},
		"before ROLLBACK": func(t *testing.T, db testserver.Database, w backend.Wire) error {
			started(t, w)
			kill(t, db, w)
			return w.Rollback(t.Context(), nil)
		},
		"by a limit on idling": func(t *testing.T, db testserver.Database, w backend.Wire) error {
			execAfter(t, w, []string{"BEGIN"}, `INSERT INTO item VALUES (1, 'a')`)
			exec(t, w, "SET LOCAL idle_in_transaction_session_timeout = 250")
			eventually(t, db, gone, w.ID())
			return w.Commit(t.Context(), nil)
		},
	}
	if open(t, fresh(t).DSN).Server.Version.AtLeast(17, 0, 0) {
		points["by a limit on the transaction"] = func(t *testing.T, _ testserver.Database, w backend.Wire) error {
			execAfter(t, w, []string{"BEGIN"}, `INSERT INTO item VALUES (1, 'a')`)
			return fails(w.Exec(t.Context(), []string{"SET LOCAL transaction_timeout = 50"}, `SELECT pg_sleep(30)`, nil))
		}
	}
	for name, point := range points {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := fresh(t, items)
			opened := open(t, db.DSN)
			w := take(t, opened)
			exec(t, w, insert)
			exec(t, w, `DELETE FROM item`)
			require.True(t, w.Used())

			err := point(t, db, w)
			require.Error(t, err)
			e := backend.Classify(opened, err)
			require.ErrorIs(t, e, dialect.ErrConnectionLost, "%v", err)
			require.True(t, e.Fatal)
			require.False(t, e.NotSent)
			require.False(t, w.Alive())
			require.False(t, w.Idle())
			eventually(t, db, gone, w.ID())

			err = fails(w.Exec(t.Context(), begin, insert, nil))
			var unsent *backend.NotSentError
			require.ErrorAs(t, err, &unsent)
			require.True(t, unsent.Closed)
			var n int
			require.NoError(t, db.Admin.QueryRow(`SELECT count(*) FROM item`).Scan(&n))
			require.Zero(t, n)
		})
	}
}

func TestACutConnectionIsKnownToBeLost(t *testing.T) {
	t.Parallel()
	for _, action := range []proxy.Action{proxy.CutRequest, proxy.CutSent, proxy.CutReply} {
		for _, prefix := range [][]string{nil, {"BEGIN", "SAVEPOINT hf_1"}} {
			db := fresh(t, items)
			p := proxy.New(t, db.Addr)
			opened := open(t, db.Via(p.Addr()))
			w := take(t, opened)
			p.On("INSERT INTO item", action)
			err := fails(w.Exec(t.Context(), prefix, `INSERT INTO item VALUES (1, 'a')`, nil))
			require.ErrorIs(t, err, dialect.ErrConnectionLost)
			var prefixError *backend.PrefixError
			require.NotErrorAs(t, err, &prefixError)
			require.ErrorIs(t, backend.Classify(opened, err), dialect.ErrConnectionLost)
			require.False(t, w.Alive())
			eventually(t, db, gone, w.ID())
		}
	}
}

// TestB11_ACancelledCtxLeavesNothingOnTheServer ends the ctx of a statement that
// waits for a lock, and of one whose rows are being read.
func TestB11_ACancelledCtxLeavesNothingOnTheServer(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		db := fresh(t, items, `INSERT INTO item VALUES (1, 'held')`)
		hold, err := db.Admin.Begin()
		require.NoError(t, err)
		defer func() { _ = hold.Rollback() }()
		_, err = hold.Exec(`UPDATE item SET name = 'x'`)
		require.NoError(t, err)
		opened := open(t, db.DSN, opts...)

		for name, end := range map[string]func() (context.Context, context.CancelFunc){
			"cancelled": func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) },
			"late": func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 3*time.Second)
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := take(t, opened)
				ctx, cancel := end()
				defer cancel()
				if name == "cancelled" {
					defer meanwhile(func() { eventually(t, db, waiting, w.ID()); cancel() })()
				}
				err := fails(w.Exec(ctx, []string{"BEGIN", "SAVEPOINT hf_1"}, `UPDATE item SET name = $1`, []any{"y"}))
				require.ErrorIs(t, err, ctx.Err())
				e := backend.Classify(opened, err)
				require.ErrorIs(t, e, dialect.ErrConnectionLost, "it was sent and nobody knows")
				require.True(t, e.Fatal)
				require.False(t, w.Alive())
				eventually(t, db, gone, w.ID())
			})
		}
		t.Run("in the rows", func(t *testing.T) {
			w := take(t, opened)
			ctx, cancel := context.WithCancel(t.Context())
			rows, err := w.Query(ctx, begin, `SELECT repeat('x', 1000) FROM generate_series(1, 1000000)`, nil)
			require.NoError(t, err)
			cancel()
			_, err = readAll(rows)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, dialect.ErrConnectionLost)
			require.False(t, w.Alive())
			eventually(t, db, gone, w.ID())
		})
	})
}

// lend takes a connection out of the pool and gives it back.
func lend(t *testing.T, db *backend.Database, use func(*wire)) {
	t.Helper()
	conn, err := db.Pool.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, conn.Raw(func(c any) error { use(db.Engine.Wire(c).(*wire)); return nil }))
	require.NoError(t, conn.Close())
}

// TestB13_AStaleConnectionIsNotHandedOut kills a connection in the pool.
func TestB13_AStaleConnectionIsNotHandedOut(t *testing.T) {
	t.Parallel()
	db := fresh(t)
	opened := open(t, db.DSN)
	var first *wire
	lend(t, opened, func(w *wire) { first = w; exec(t, w, `SELECT 1`) })
	kill(t, db, first)
	first.reused = first.reused.Add(-2 * idleCheck)
	lend(t, opened, func(w *wire) {
		require.NotSame(t, first, w)
		exec(t, w, `SELECT 1`)
	})
}

func TestAConnectionThatHasLainIsNotPinged(t *testing.T) {
	t.Parallel()
	db := fresh(t)
	p := proxy.New(t, db.Addr)
	opened := open(t, db.Via(p.Addr()))
	var first *wire
	lend(t, opened, func(w *wire) { first = w; exec(t, w, `SELECT 1`) })
	first.reused = first.reused.Add(-2 * idleCheck)
	require.Zero(t, p.During(func() {
		lend(t, opened, func(w *wire) { require.Same(t, first, w) })
	}).Turns)
}

func TestRowsAreReadAsTheyArrive(t *testing.T) {
	t.Parallel()
	w := take(t, open(t, fresh(t).DSN))
	rows, err := w.Query(t.Context(), begin, `SELECT n, 1 / (n - 200000) FROM generate_series(1, 300000) n`, nil)
	require.NoError(t, err)
	row := make([]driver.Value, 2)
	require.NoError(t, rows.Next(row))
	require.Error(t, rows.Close(), "the error behind the rows that were read")
	require.True(t, w.Alive())
	require.NoError(t, w.Rollback(t.Context(), nil))

	rows, err = w.Query(t.Context(), nil, `SELECT generate_series(1, 300000)`, nil)
	require.NoError(t, err)
	require.NoError(t, rows.Next(row[:1]))
	require.NoError(t, rows.Close())
	require.ErrorIs(t, rows.Next(row[:1]), io.EOF)
	require.True(t, w.Idle())
}

func TestCopyIsRefusedAndDoesNotHang(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	opened := open(t, db.DSN)
	w := take(t, opened)
	for _, query := range []string{`COPY item FROM STDIN`, `/* so */ copy item to stdout`, `COPY (SELECT 1) TO STDOUT (FORMAT binary)`} {
		var unsent *backend.NotSentError
		require.ErrorAs(t, fails(w.Exec(t.Context(), begin, query, nil)), &unsent, query)
		require.True(t, w.Idle())
	}
	exec(t, w, `COPY item FROM PROGRAM 'true'`)
}
