package tests

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/images"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The core through PgBouncer in transaction mode: each transaction may run on
// another of the server's connections, which knows no prepared statement of ours.
func TestDesign6_PgBouncer(t *testing.T) {
	t.Parallel()
	server := testdb.NewServer(t, testdb.Postgres)
	at := server.New(t)
	addr := pgBouncer(t, server, at, "pool_mode=transaction", "max_prepared_statements=0", "server_round_robin=1", "min_pool_size=3")
	source := func(dsn string) dialect.Source { return postgres.Open(dsn, postgres.WithoutStatementCache()) }
	transport{at, addr, source}.core(t, func(db *counted) {
		seen := map[int64]bool{}
		eventually(t, "statements have run on several of the server's connections", func() bool {
			seen[db.id(t.Context())] = true
			return len(seen) > 1
		})
	})
}

// What leans on the server's idea of a connection does without it.
func TestDesign6_PgBouncerAndConnections(t *testing.T) {
	t.Parallel()
	server := testdb.NewServer(t, testdb.Postgres)
	at := server.New(t)
	p := proxy.New(t, pgBouncer(t, server, at, "pool_mode=transaction", "max_prepared_statements=0", "server_round_robin=1"))
	db := open(t, at, setup{dsn: at.Via(p.Addr()), source: func(dsn string) dialect.Source {
		return postgres.Open(dsn, postgres.WithoutStatementCache())
	}})
	db.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")

	for _, carriedOut := range []bool{true, false} { // a COMMIT without an answer
		db.wires.on("COMMIT", func(backend.Wire) {
			p.Next(map[bool]proxy.Action{true: proxy.CutReply, false: proxy.CutRequest}[carriedOut])
		})
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error { return db.insert(ctx, 1) }, atomic.ResolveCommit())
		if carriedOut {
			require.NoError(t, err)
			require.Equal(t, []int{1}, db.kept())
		} else {
			require.ErrorIs(t, err, dialect.ErrConnectionLost)
			require.Empty(t, db.kept())
		}
		db.settled()
		db.arrange("DELETE FROM t")
	}

	whole, err := orm.Open(t.Context(), postgres.Open(at.Via(p.Addr()), postgres.WithoutStatementCache()))
	require.NoError(t, err)
	defer func() { require.NoError(t, whole.Close()) }()
	lock := func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, whole, "one") }
	require.NoError(t, atomic.Do(t.Context(), whole, func(ctx context.Context) error {
		if err := lock(ctx); err != nil {
			return err
		}
		return is(dialect.ErrLockNotAvailable, atomic.Do(ctx, whole, lock,
			atomic.Propagation(atomic.Independent), atomic.LockTimeout(moment), atomic.ExplainLocks()))
	}))
	require.Zero(t, db.look("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "the lock is free")

	// Whichever connection a statement comes to has the settings of Open.
	for range 10 {
		require.Equal(t, "UTC", db.setting(t.Context(), "TimeZone"))
	}
}

// pgBouncer starts one in front of a server, with these settings, and returns its
// address once it leads to the database. It ends with the test, and with this
// process.
func pgBouncer(t *testing.T, server *testdb.Server, at testdb.Database, settings ...string) (addr string) {
	t.Helper()
	ctx := t.Context()
	docker, err := testdb.Docker(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { _ = docker.Close() })
	image, err := images.Find("pgbouncer", "")
	require.NoError(t, err)
	tag, err := image.Ensure(ctx, docker, func(s string) { t.Log(s) })
	require.NoError(t, err)
	upstream, err := docker.ContainerInspect(ctx, server.Container(), client.ContainerInspectOptions{})
	require.NoError(t, err)

	var alive client.HijackedResponse // its standard input: it runs while that is open
	bouncer, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		ContainerRequest: testcontainers.ContainerRequest{
			Image:          tag,
			Cmd:            append([]string{upstream.Container.NetworkSettings.Networks["bridge"].IPAddress.String(), "5432"}, settings...),
			ExposedPorts:   []string{"6432/tcp"},
			Labels:         map[string]string{"holdfast.test": "pgbouncer"},
			ConfigModifier: func(c *container.Config) { c.OpenStdin, c.StdinOnce = true, true },
			HostConfigModifier: func(c *container.HostConfig) {
				c.AutoRemove, c.PortBindings = true, testdb.Published(docker, "6432")
			},
			LifecycleHooks: []testcontainers.ContainerLifecycleHooks{{
				PreStarts: []testcontainers.ContainerHook{func(ctx context.Context, c testcontainers.Container) error {
					attached, err := docker.ContainerAttach(ctx, c.GetContainerID(), client.ContainerAttachOptions{Stream: true, Stdin: true})
					alive = attached.HijackedResponse
					return err
				}},
			}},
		},
		Started: true,
	})
	t.Cleanup(func() {
		if alive.Conn != nil {
			alive.Close()
		}
		require.NoError(t, testcontainers.TerminateContainer(bouncer, testcontainers.StopTimeout(0)))
	})
	require.NoError(t, err)
	addrs, err := testdb.Addresses(ctx, docker, bouncer, "6432")
	require.NoError(t, err)
	eventually(t, "PgBouncer answers", func() bool {
		for _, addr = range addrs {
			if answers(ctx, at.Via(addr)) {
				return true
			}
		}
		return false
	})
	return addr
}

func answers(ctx context.Context, dsn string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	return err == nil && conn.Close(ctx) == nil
}

// A pooler that hands out its connections for one statement each has no
// transactions, and says so; it is not the connection's fault.
func TestL03_PgBouncerPoolsStatements(t *testing.T) {
	t.Parallel()
	server := testdb.NewServer(t, testdb.Postgres)
	at := server.New(t)
	source := func(dsn string) dialect.Source { return postgres.Open(dsn, postgres.WithoutStatementCache()) }
	db := open(t, at, setup{dsn: at.Via(pgBouncer(t, server, at, "pool_mode=statement", "max_prepared_statements=0")), source: source})
	attempts := 0
	err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
		attempts++
		_, err := db.number(ctx, "SELECT 1")
		return err
	}, atomic.RetryPolicy{Max: 3, Connection: true})
	require.ErrorIs(t, err, dialect.ErrUnsupported)
	require.NotErrorIs(t, err, dialect.ErrConnectionLost)
	require.Equal(t, 1, attempts)
	n, err := db.number(t.Context(), "SELECT 7")
	require.NoError(t, err)
	require.EqualValues(t, 7, n)
}
