package clusters

import (
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// soon waits for the answer to a query on a node.
func soon(t *testing.T, node *testdb.Node, database, query, want string) {
	t.Helper()
	var got string
	require.Eventually(t, func() bool {
		got, _ = node.Ask(t.Context(), database, query)
		return got == want
	}, 20*time.Second, 30*time.Millisecond, "%s on %s, last %q", query, node.Name, got)
}

func TestPostgresPair(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pair := testdb.Cluster(t, testdb.PostgresPair, testdb.Synchronous("remote_apply"))
	primary, standby := pair.Nodes[0], pair.Nodes[1]
	name := pair.NewDatabase(t)
	const count = "SELECT count(*) FROM note"
	require.NoError(t, primary.Run(ctx, name, "CREATE TABLE note (id INTEGER PRIMARY KEY)", "INSERT INTO note VALUES (1)"))
	got, err := standby.Ask(ctx, name, count)
	require.NoError(t, err)
	assert.Equal(t, "1", got, "remote_apply")

	require.NoError(t, standby.Lag(ctx, time.Minute))
	waiting := make(chan error, 1)
	go func() { waiting <- primary.Run(context.WithoutCancel(ctx), name, "INSERT INTO note VALUES (2)") }()
	soon(t, primary, "", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", "1")
	require.NoError(t, standby.Lag(ctx, 0))
	require.NoError(t, <-waiting)

	require.NoError(t, standby.Cut(ctx))
	got, err = standby.Ask(ctx, name, count)
	require.NoError(t, err, "the test still reaches it")
	assert.Equal(t, "2", got)
	go func() { waiting <- primary.Run(context.WithoutCancel(ctx), name, "INSERT INTO note VALUES (3)") }()
	soon(t, primary, "", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", "1")
	require.NoError(t, standby.Heal(ctx))
	require.NoError(t, <-waiting)

	require.NoError(t, standby.Pause(ctx))
	go func() { waiting <- primary.Run(context.WithoutCancel(ctx), name, "INSERT INTO note VALUES (4)") }()
	soon(t, primary, "", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", "1")
	require.NoError(t, primary.Kill(ctx))
	require.Error(t, <-waiting)
	require.NoError(t, standby.Resume(ctx))
	require.NoError(t, standby.Promote(ctx))
	writer, err := pair.Writer(ctx)
	require.NoError(t, err)
	assert.Same(t, standby, writer)

	require.NoError(t, primary.Start(ctx))
	got, err = primary.Ask(ctx, "", "SELECT pg_is_in_recovery()")
	require.NoError(t, err)
	assert.Equal(t, "false", got, "it believes that it is a primary still")
	require.NoError(t, primary.Restart(ctx))
	require.NoError(t, pair.Caught(ctx, name, "SELECT string_agg(id::text, ' ') FROM note"))
}

// A run that is killed leaves no machine behind.
func TestClusterEndsWithTheProcessThatStartedIt(t *testing.T) {
	t.Parallel()
	testserver.Restrict(t, testdb.Postgres)
	docker, err := testdb.Docker(t.Context())
	require.NoError(t, err)
	defer func() { _ = docker.Close() }()
	run := "clusters-" + rand.Text()
	machines := func(filters client.Filters) int {
		found, err := docker.ContainerList(t.Context(), client.ContainerListOptions{
			All: true, Filters: filters.Add("label", "holdfast.run="+run),
		})
		require.NoError(t, err)
		return len(found.Items)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPostgresPair$")
	child.Env = append(os.Environ(), "HOLDFAST_RUN="+run)
	require.NoError(t, child.Start())
	assert.Eventually(t, func() bool { return machines(client.Filters{}.Add("status", "running")) == 2 }, time.Minute, 50*time.Millisecond, "they start")
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	assert.Eventually(t, func() bool { return machines(client.Filters{}) == 0 }, 20*time.Second, 50*time.Millisecond, "they are removed")
}

func TestGalera(t *testing.T) {
	ctx := t.Context()
	nodes := testdb.Cluster(t, testdb.Galera)
	name := nodes.NewDatabase(t)
	require.NoError(t, nodes.Nodes[2].Run(ctx, name, "CREATE TABLE note (id INTEGER PRIMARY KEY)", "INSERT INTO note VALUES (1)"))
	const notes = "SELECT GROUP_CONCAT(id ORDER BY id) FROM note"
	require.NoError(t, nodes.Caught(ctx, name, notes))

	second := nodes.Nodes[1]
	require.NoError(t, second.Cut(ctx))
	require.Eventually(t, func() bool {
		_, err := second.Ask(ctx, name, notes)
		return err != nil && assert.ErrorContains(t, err, "1047")
	}, 30*time.Second, 100*time.Millisecond, "it knows that it is alone")
	require.NoError(t, nodes.Nodes[0].Run(ctx, name, "INSERT INTO note VALUES (2)"))
	require.NoError(t, second.Heal(ctx))
	require.NoError(t, second.Restart(ctx))
	require.NoError(t, nodes.Caught(ctx, name, notes))

	require.NoError(t, second.Kill(ctx))
	require.Eventually(t, func() bool {
		return nodes.Nodes[0].Run(ctx, name, "INSERT INTO note VALUES (3)") == nil
	}, 30*time.Second, 100*time.Millisecond, "the others go on")
	require.NoError(t, second.Restart(ctx))
	require.NoError(t, nodes.Caught(ctx, name, notes))
}

func TestGroupReplication(t *testing.T) {
	ctx := t.Context()
	group := testdb.Cluster(t, testdb.GroupReplication)
	name := group.NewDatabase(t)
	first, second := group.Nodes[0], group.Nodes[1]
	require.NoError(t, first.Run(ctx, name, "CREATE TABLE note (id INTEGER PRIMARY KEY)", "INSERT INTO note VALUES (1)"))
	const notes = "SELECT GROUP_CONCAT(id ORDER BY id) FROM note"
	require.NoError(t, group.Caught(ctx, name, notes))

	require.NoError(t, second.Promote(ctx))
	require.ErrorContains(t, first.Run(ctx, name, "INSERT INTO note VALUES (0)"), "1290")
	require.NoError(t, second.Run(ctx, name, "INSERT INTO note VALUES (2)"))

	require.NoError(t, second.Cut(ctx))
	require.Eventually(t, func() bool {
		writer, err := group.Writer(ctx)
		return err == nil && writer != second && writer.Run(ctx, name, "INSERT INTO note VALUES (3)") == nil
	}, time.Minute, 100*time.Millisecond, "another primary")
	require.NoError(t, second.Heal(ctx))
	require.NoError(t, second.Restart(ctx))
	require.NoError(t, group.Caught(ctx, name, notes))

	require.NoError(t, second.Kill(ctx))
	require.NoError(t, second.Restart(ctx))
	require.NoError(t, group.Caught(ctx, name, notes))
}

func TestPoolers(t *testing.T) {
	t.Parallel()
	testdb.NeedsCluster(t, string(testdb.HAProxy)) // others start PgBouncer
	ctx := t.Context()
	pair := testdb.Cluster(t, testdb.PostgresPair)
	name := pair.NewDatabase(t)
	require.NoError(t, pair.Nodes[0].Run(ctx, name, "CREATE TABLE note (id INTEGER PRIMARY KEY)"))
	for kind, settings := range map[testdb.PoolerKind][]string{
		testdb.PgBouncer: {"pool_mode=transaction"},
		testdb.Odyssey:   {`pool "transaction"`},
		testdb.Pgpool:    {"load_balance_mode=off"},
		testdb.HAProxy:   nil,
	} {
		t.Run(string(kind), func(t *testing.T) {
			pooler := pair.Pooler(t, kind, settings...)
			db, err := sql.Open("pgx", pooler.DSN(name)+"&default_query_exec_mode=simple_protocol")
			require.NoError(t, err)
			defer func() { _ = db.Close() }()
			for range 3 {
				_, err = db.ExecContext(ctx, "INSERT INTO note SELECT count(*) FROM note")
				require.NoError(t, err)
			}
			if kind == testdb.PgBouncer || kind == testdb.Odyssey {
				require.NoError(t, pooler.Lead(ctx, pair.Nodes[1]))
				assert.Eventually(t, func() bool {
					var standby bool
					again, err := sql.Open("pgx", pooler.DSN(name)+"&default_query_exec_mode=simple_protocol")
					require.NoError(t, err)
					defer func() { _ = again.Close() }()
					return again.QueryRowContext(ctx, "SELECT pg_is_in_recovery()").Scan(&standby) == nil && standby
				}, 30*time.Second, 100*time.Millisecond)
			}
		})
	}
}
