package guide

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// programs builds all of them, once.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "guide-"); err != nil {
		return "", err
	}
	command := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./...")
	command.Stderr = os.Stderr
	return dir, command.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// program is one of them, ready to run, with these variables besides its own.
func program(t *testing.T, name string, env ...string) *exec.Cmd {
	t.Helper()
	dir, err := programs()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, filepath.Join(dir, name))
	command.Env = append(os.Environ(), append([]string{"SHOP_DB="}, env...)...)
	return command
}

// alone are programs that do not ask SHOP_DB, or print what only SQLite says.
var alone = map[string]bool{"first": true, "migrate": true, "observe": true, "replicas": true}

// Each program prints what the page says.
func TestEachProgramPrintsWhatThePageSays(t *testing.T) {
	run := func(t *testing.T, name, want string, env ...string) {
		out, err := program(t, name, env...).CombinedOutput()
		assert.NoError(t, err, name)
		assert.Equal(t, want, string(out), name)
	}
	ran := map[string]bool{}
	for _, c := range commands(t) {
		name, is := strings.CutPrefix(c.line, "go run ./")
		if !is || name == "server" {
			continue
		}
		ran[name] = true
		t.Run(name, func(t *testing.T) {
			t.Run("memory", func(t *testing.T) { run(t, name, c.output) })
			if !alone[name] {
				testdb.Each(t, func(t *testing.T, db testdb.Database) {
					if name == "queue" && !can(t, db, dialect.SkipLocked) {
						out, err := program(t, name, "SHOP_DB="+address(db)).CombinedOutput()
						assert.Error(t, err)
						assert.Contains(t, string(out), "SKIP LOCKED is not supported by")
						return
					}
					run(t, name, c.output, "SHOP_DB="+address(db))
				})
			}
		})
	}
	mains, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	for _, file := range mains {
		if name := filepath.Dir(file); name != "server" {
			assert.True(t, ran[name], "the page does not run %s", name)
		}
	}
}

func can(t *testing.T, at testdb.Database, c dialect.Capability) bool {
	t.Helper()
	db, err := orm.Open(t.Context(), store.Source(address(at)))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	return db.Server().Can(c)
}

// host is the place of the server in a DSN of go-sql-driver/mysql.
var host = regexp.MustCompile(`@tcp\(([^)]*)\)`)

// address is a database as package store spells it.
func address(db testdb.Database) string {
	if db.Engine == testdb.MySQL || db.Engine == testdb.MariaDB {
		return "mysql://" + host.ReplaceAllString(db.DSN, "@$1")
	}
	return db.DSN
}

// The page's second run of replicas: a server stands in for its own replica.
func TestTheReplicaShowsWhatWasWritten(t *testing.T) {
	for _, c := range commands(t) {
		if !strings.HasSuffix(c.line, "go run ./replicas") || !strings.HasPrefix(c.line, "SHOP_DB=postgres://") {
			continue
		}
		testdb.Each(t, func(t *testing.T, db testdb.Database) {
			out, err := program(t, "replicas", "SHOP_DB="+address(db), "SHOP_REPLICA="+address(db)).CombinedOutput()
			assert.NoError(t, err)
			assert.Equal(t, c.output, string(out))
		}, testdb.Postgres)
		return
	}
	t.Error("the page does not run replicas on PostgreSQL")
}

// The server answers what the page says that curl prints.
func TestTheServerAnswersWhatThePageSays(t *testing.T) {
	t.Run("memory", func(t *testing.T) { serves(t, "") })
	testdb.Each(t, func(t *testing.T, db testdb.Database) { serves(t, address(db)) })
}

func serves(t *testing.T, address string) {
	free, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	at := free.Addr().String()
	require.NoError(t, free.Close())
	server := program(t, "server", "SHOP_DB="+address, "SHOP_ADDR="+at)
	var log bytes.Buffer
	server.Stderr = &log
	require.NoError(t, server.Start())
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", at)
		return err == nil && conn.Close() == nil
	}, 30*time.Second, 10*time.Millisecond)

	asked := 0
	for _, c := range commands(t) {
		if args, is := strings.CutPrefix(c.line, "curl "); is {
			assert.Equal(t, c.output, curl(t, args, at), c.line)
			asked++
		}
	}
	assert.NotZero(t, asked)
	require.NoError(t, server.Process.Signal(os.Interrupt))
	assert.NoError(t, server.Wait(), log.String())
}

var argument = regexp.MustCompile(`'([^']*)'|(\S+)`)

// curl does what the command does with -H, -d and an address, and returns the body.
func curl(t *testing.T, line, at string) string {
	t.Helper()
	var args []string
	for _, m := range argument.FindAllStringSubmatch(line, -1) {
		args = append(args, m[1]+m[2])
	}
	method, body, url := http.MethodGet, "", ""
	headers := http.Header{}
	for len(args) > 0 {
		switch args[0] {
		case "-H":
			name, value, _ := strings.Cut(args[1], ": ")
			headers.Set(name, value)
			args = args[2:]
		case "-d":
			method, body = http.MethodPost, args[1]
			args = args[2:]
		default:
			url, args = args[0], args[1:]
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+strings.Replace(url, "localhost:8080", at, 1), strings.NewReader(body))
	require.NoError(t, err)
	r.Header = headers
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

// The page's own test on PostgreSQL compiles, and passes. It starts its own server:
// where one is named and there is no Docker, nobody can start another.
func TestTheContainersOfThePage(t *testing.T) {
	out, err := exec.Command("go", "vet", "-tags=containers", "./store").CombinedOutput()
	require.NoError(t, err, "%s", out)
	testdb.Each(t, func(t *testing.T, _ testdb.Database) {
		image := os.Getenv("HOLDFAST_POSTGRES_IMAGE")
		if image == "" {
			image = testdb.Shared(t, testdb.Postgres).Image
		}
		if image == "" { // a server is named: one of our own tells which image there is, or builds it
			server, err := testdb.Start(t.Context(), testdb.Postgres)
			if _, none := errors.AsType[*testdb.NoDockerError](err); none {
				t.Skip("compiled only, since the page's test starts a container: ", err)
			}
			require.NoError(t, err)
			image = server.Image
			require.NoError(t, server.Close())
		}
		env := append(os.Environ(), "POSTGRES_IMAGE="+image, "TESTCONTAINERS_RYUK_DISABLED=true")
		if host := os.Getenv("DOCKER_HOST"); host == "" || strings.HasPrefix(host, "unix:") {
			// Within a container testcontainers would look for the port at its gateway.
			env = append(env, "TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1")
		}
		var out []byte
		for range 3 { // the engine publishes ports that connections of the tests beside this one may have
			test := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-tags=containers", "-run=OnPostgres", "./store")
			test.Env = env
			if out, err = test.CombinedOutput(); err == nil || !strings.Contains(string(out), "address already in use") {
				break
			}
		}
		assert.NoError(t, err, "%s", out)
	}, testdb.Postgres)
}

// Who begins in an empty folder and types what the page says has a first program
// that runs. The library is this one, instead of a release.
func TestTheFirstStepsInAnEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	library, err := filepath.Abs("../..")
	require.NoError(t, err)
	run := func(args ...string) string {
		command := exec.CommandContext(t.Context(), args[0], args[1:]...)
		command.Dir = dir
		// The modules are those that this test was built with.
		command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GONOSUMDB=*")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s: %s", strings.Join(args, " "), out)
		return string(out)
	}
	for name, text := range typed(t) {
		if name == "first/main.go" {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "first"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
	}
	for _, c := range commands(t) {
		switch {
		case strings.HasPrefix(c.line, "go mod init "):
			run(strings.Fields(c.line)...)
			run("go", "mod", "edit", "-replace=github.com/holdfast-go/holdfast="+library)
		case c.line == "go mod tidy":
			run("go", "mod", "tidy")
		case c.line == "go run ./first":
			assert.Equal(t, c.output, run("go", "run", "./first"))
			return
		}
	}
	t.Error("the page does not run the first program")
}
