package testdb_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/moby/moby/client"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) {
	if os.Getenv(victimEnv) != "" {
		victim()
	}
	goleak.VerifyTestMain(m)
}

func TestEachGivesAFreshDatabase(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.Database) {
		ctx := t.Context()
		_, err := db.Admin.ExecContext(ctx, "CREATE TABLE note (id INTEGER PRIMARY KEY, text VARCHAR(100))")
		require.NoError(t, err)
		_, err = db.Admin.ExecContext(ctx, "INSERT INTO note VALUES (1, '한국어 😀')")
		require.NoError(t, err)
		var text string
		require.NoError(t, db.Admin.QueryRowContext(ctx, "SELECT text FROM note").Scan(&text))
		assert.Equal(t, "한국어 😀", text)

		other := testdb.New(t, db.Engine)
		assert.NotEqual(t, db.DSN, other.DSN)
		_, err = other.Admin.ExecContext(ctx, "SELECT text FROM note")
		assert.Error(t, err, "a table of another test")
	})
}

// A test that fails with a transaction open must not make the run hang.
func TestDropEndsSessionsLeftBehind(t *testing.T) {
	for _, engine := range testdb.Servers() {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			var pool *sql.DB
			var left *sql.Conn
			t.Run("test", func(t *testing.T) {
				db := testdb.New(t, engine)
				_, err := db.Admin.ExecContext(t.Context(), "CREATE TABLE note (id INTEGER PRIMARY KEY)")
				require.NoError(t, err)
				pool, err = sql.Open(map[bool]string{true: "pgx", false: "mysql"}[engine == testdb.Postgres], db.DSN)
				require.NoError(t, err)
				left, err = pool.Conn(t.Context())
				require.NoError(t, err)
				for _, statement := range []string{"BEGIN", "INSERT INTO note VALUES (1)"} {
					_, err := left.ExecContext(context.Background(), statement)
					require.NoError(t, err)
				}
			})
			if left == nil {
				t.SkipNow() // as the test in it was
			}
			assert.Error(t, left.PingContext(t.Context()))
			_ = left.Close() // closed already where the ping noticed
			require.NoError(t, pool.Close())
		})
	}
}

func TestRestriction(t *testing.T) {
	t.Setenv("HOLDFAST_TEST_ENGINES", "sqlite")
	var ran []string
	t.Run("each", func(t *testing.T) {
		testdb.Each(t, func(t *testing.T, db testdb.Database) { ran = append(ran, t.Name()) })
	})
	assert.Equal(t, []string{"TestRestriction/each/sqlite"}, ran)

	t.Setenv("HOLDFAST_TEST_ENGINES", "sqlite,oracle")
	_, err := testdb.Asked()
	assert.ErrorContains(t, err, `lists "oracle"`)
}

func TestServerWithFlags(t *testing.T) {
	t.Parallel()
	server := testdb.NewServer(t, testdb.MySQL, testdb.Flags("--autocommit=0"))
	db := server.New(t)
	var autocommit int
	require.NoError(t, db.Admin.QueryRow("SELECT @@global.autocommit").Scan(&autocommit))
	assert.Zero(t, autocommit)
}

func TestServerOfAVersion(t *testing.T) {
	t.Parallel()
	// A version that this run has an image of, so that none needs to be built.
	usual := testdb.NewServer(t, testdb.Postgres)
	want, _, _ := strings.Cut(usual.Image[strings.LastIndex(usual.Image, ":")+1:], "-")
	require.NotEmpty(t, want)

	server := testdb.NewServer(t, testdb.Postgres, testdb.Version(want), testdb.Flags("-c", "work_mem=5MB"))
	admin := server.New(t).Admin
	var version, memory string
	require.NoError(t, admin.QueryRow("SHOW server_version").Scan(&version))
	require.NoError(t, admin.QueryRow("SHOW work_mem").Scan(&memory))
	assert.True(t, strings.HasPrefix(version, want+"."), version)
	assert.Equal(t, "5MB", memory)
}

func TestVersionThatNobodyHas(t *testing.T) {
	t.Parallel()
	dockerOr(t)
	_, err := testdb.Start(t.Context(), testdb.Postgres, testdb.Version("9.1-none"))
	assert.ErrorContains(t, err, "postgres 9.1-none cannot be built from Debian packages, which have 18")
}

func TestServerDies(t *testing.T) {
	t.Parallel()
	server := testdb.NewServer(t, testdb.MariaDB)
	db := server.New(t)
	require.NoError(t, db.Admin.Ping())
	require.NoError(t, server.Close())
	assert.Error(t, db.Admin.Ping())
}

func TestServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	testdb.NeedsServers(t)
	_, err := testdb.Start(t.Context(), testdb.Postgres, testdb.Flags("-c", "no_such_setting=1"))
	assert.ErrorContains(t, err, `unrecognized configuration parameter "no_such_setting"`)
}

func TestNoDockerIsOneSentence(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	_, err := testdb.Start(t.Context(), testdb.MySQL)
	var none *testdb.NoDockerError
	require.ErrorAs(t, err, &none)
	assert.NotContains(t, err.Error(), "\n")
	assert.ErrorContains(t, err, "DOCKER_HOST=tcp://127.0.0.1:1")
}

const victimEnv = "HOLDFAST_TESTDB_VICTIM"

// victim starts a server, says so and waits to be killed.
func victim() {
	server, err := testdb.Start(context.Background(), testdb.Postgres)
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString(server.Container() + "\n")
	select {}
}

func TestContainerEndsWithTheProcessThatStartedIt(t *testing.T) {
	t.Parallel()
	docker := dockerOr(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), victimEnv+"=1")
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	id, err := bufio.NewReader(out).ReadString('\n')
	id = strings.TrimSpace(id)
	require.NoError(t, errors.Join(err, child.Process.Kill()))
	_ = child.Wait()
	assert.Eventually(t, func() bool {
		_, err := docker.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
		return err != nil
	}, 20*time.Second, 50*time.Millisecond, "container %s", id)
}

func dockerOr(t *testing.T) *client.Client {
	t.Helper()
	testdb.NeedsServers(t)
	docker, err := testdb.Docker(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = docker.Close() })
	return docker.Client
}
