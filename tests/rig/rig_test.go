//go:build unix

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

const asRig = "HOLDFAST_RUN_AS_RIG"

func TestMain(m *testing.M) {
	if os.Getenv(asRig) != "" {
		main() // exits
	}
	os.Exit(m.Run())
}

// rig returns a command that runs this binary as the rig, in an environment
// that names no server.
func rig(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	testdb.NeedsServers(t)
	command := exec.Command(os.Args[0], args...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "HOLDFAST_TEST_") {
			command.Env = append(command.Env, variable)
		}
	}
	command.Env = append(command.Env, asRig+"=1", "HOLDFAST_RUN="+t.Name())
	return command
}

// containers counts those that this test's rig has made.
func containers(t *testing.T) int {
	t.Helper()
	docker, err := testdb.Docker(t.Context())
	require.NoError(t, err)
	defer func() { _ = docker.Close() }()
	list, err := docker.ContainerList(t.Context(), client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("label", "holdfast.run="+t.Name()),
	})
	require.NoError(t, err)
	return len(list.Items)
}

func TestRunsACommandWithServersAndRemovesThem(t *testing.T) {
	t.Parallel()
	command := rig(t, "-servers", "postgres", "--", "sh", "-c",
		`echo "$HOLDFAST_TEST_ENGINES|$HOLDFAST_TEST_POSTGRES|$HOLDFAST_POSTGRES_IMAGE|$HOLDFAST_TEST_MYSQL"; exit 7`)
	var out bytes.Buffer
	command.Stdout = &out
	_ = command.Run()
	assert.Equal(t, 7, command.ProcessState.ExitCode())
	said := strings.Split(strings.TrimSpace(out.String()), "|")
	require.Len(t, said, 4)
	assert.Equal(t, "postgres", said[0])
	assert.Contains(t, said[1], "postgres://")
	assert.NotEmpty(t, said[2])
	assert.Empty(t, said[3])
	assert.Zero(t, containers(t))
}

func TestInterruptedItLeavesNothing(t *testing.T) {
	t.Parallel()
	command := rig(t, "-servers", "postgres", "--", "sh", "-c", "sleep 600 & echo $!; wait")
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	grandchild, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(grandchild, 0))
	assert.Equal(t, 1, containers(t))

	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	_ = command.Wait()
	assert.Equal(t, 130, command.ProcessState.ExitCode())
	assert.Zero(t, containers(t))
	assert.Eventually(t, func() bool { return syscall.Kill(grandchild, 0) != nil }, 10*time.Second, 10*time.Millisecond)
}

func TestWithoutDockerItSaysSoInOneLine(t *testing.T) {
	t.Parallel()
	command := rig(t, "--", "echo", "must not run")
	command.Env = append(command.Env, "DOCKER_HOST=tcp://127.0.0.1:1")
	began := time.Now()
	out, err := command.CombinedOutput()
	assert.Error(t, err)
	assert.Equal(t, 1, strings.Count(string(out), "\n"), "%s", out)
	assert.Contains(t, string(out), "no Docker engine answers at DOCKER_HOST=tcp://127.0.0.1:1")
	assert.Less(t, time.Since(began), 20*time.Second)
}

func TestServersList(t *testing.T) {
	wishes, engines, err := parseServers("postgres:13,mariadb:10.5")
	require.NoError(t, err)
	assert.Equal(t, []wish{{testdb.Postgres, "13"}, {testdb.MariaDB, "10.5"}}, wishes)
	assert.Equal(t, []string{"HOLDFAST_TEST_ENGINES=postgres,mariadb"}, engines)
	t.Setenv("HOLDFAST_TEST_ENGINES", "")
	wishes, engines, err = parseServers("")
	require.NoError(t, err)
	assert.Equal(t, []wish{{testdb.MySQL, ""}, {testdb.MariaDB, ""}, {testdb.Postgres, ""}}, wishes)
	assert.Equal(t, []string{"HOLDFAST_TEST_ENGINES=sqlite,mysql,mariadb,postgres"}, engines)
	_, _, err = parseServers("oracle:19")
	assert.ErrorContains(t, err, `lists "oracle"`)
}
