package consumer

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const application = `package main

import (
	_ "github.com/holdfast-go/holdfast/atomic"
	_ "github.com/holdfast-go/holdfast/dialect/mysql"
	_ "github.com/holdfast-go/holdfast/dialect/postgres"
	_ "github.com/holdfast-go/holdfast/dialect/sqlite"
	_ "github.com/holdfast-go/holdfast/models"
	_ "github.com/holdfast-go/holdfast/orm"
	_ "github.com/holdfast-go/holdfast/query"
)

func main() {}
`

// An application has neither requirements nor checksums of what only the tests,
// examples and benchmarks need. testify's checksums are no matter of ours: bun and
// pgx, and modules that they require, name it in their go.mod.
func TestAnApplicationGetsNoTestTools(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	library, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go .*`).Find(library)
	require.NotEmpty(t, version)
	write("main.go", application)
	write("go.mod", "module example.com/application\n\n"+string(version)+`

require github.com/holdfast-go/holdfast v0.0.0

replace github.com/holdfast-go/holdfast => `+root+"\n")

	run := func(args ...string) string {
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = dir
		// The modules are those that this test was built with, whose checksums
		// the library's go.sum has confirmed.
		command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GONOSUMDB=*")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "go %s: %s", strings.Join(args, " "), out)
		return string(out)
	}
	run("mod", "tidy")
	tools := regexp.MustCompile(`docker|moby|testcontainers|progressbar|holdfast/(tests|examples|bench)`)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Contains(t, string(text), "github.com/uptrace/bun")
		assert.Empty(t, lines(string(text), tools), name)
		if name == "go.mod" {
			assert.Empty(t, lines(string(text), regexp.MustCompile("testify|goleak|rapid")), name)
		}
	}

	// Who asks for testify, apart from us.
	var asking []string
	for line := range strings.Lines(run("mod", "graph")) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(to, "github.com/stretchr/testify@") && !strings.HasPrefix(from, "github.com/holdfast-go/") {
			module, _, _ := strings.Cut(from, "@")
			asking = append(asking, module)
		}
	}
	assert.Subset(t, asking, []string{"github.com/uptrace/bun", "github.com/jackc/pgx/v5"})
}

func lines(text string, with *regexp.Regexp) (found []string) {
	for line := range strings.Lines(text) {
		if with.MatchString(line) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
