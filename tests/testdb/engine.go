package testdb

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// Engine is a kind of database. Its value names subtests and environment
// variables.
type Engine string

// The engines that the suites run on.
const (
	SQLite   Engine = "sqlite"
	MySQL    Engine = "mysql"
	MariaDB  Engine = "mariadb"
	Postgres Engine = "postgres"
)

// All returns every engine.
func All() []Engine { return []Engine{SQLite, MySQL, MariaDB, Postgres} }

// Servers returns the engines that are servers: all but SQLite.
func Servers() []Engine { return []Engine{MySQL, MariaDB, Postgres} }

// Asked returns the engines that this run is to test: those that
// HOLDFAST_TEST_ENGINES lists, or all of them if it is not set.
func Asked() ([]Engine, error) {
	list := os.Getenv("HOLDFAST_TEST_ENGINES")
	if list == "" {
		return All(), nil
	}
	var asked []Engine
	for name := range strings.SplitSeq(list, ",") {
		engine := Engine(strings.TrimSpace(name))
		if !slices.Contains(All(), engine) {
			return nil, fmt.Errorf("HOLDFAST_TEST_ENGINES lists %q; the engines are %v", name, All())
		}
		asked = append(asked, engine)
	}
	return asked, nil
}

// env reads the setting of this engine: HOLDFAST_TEST_MYSQL for ("TEST_", "").
func (e Engine) env(before, after string) string { return os.Getenv(e.envName(before, after)) }

func (e Engine) envName(before, after string) string {
	return "HOLDFAST_" + before + strings.ToUpper(string(e)) + after
}

// restrict skips a test of an engine that the person who started the run has
// left out.
func restrict(t testing.TB, engine Engine) {
	t.Helper()
	asked, err := Asked()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(asked, engine) {
		t.Skipf("HOLDFAST_TEST_ENGINES=%s leaves %s out", os.Getenv("HOLDFAST_TEST_ENGINES"), engine)
	}
}

// NeedsServers skips a test of what starts servers when the run is restricted to
// SQLite, which HOLDFAST_TEST_ENGINES=sqlite asks for where there is no Docker.
func NeedsServers(t testing.TB) {
	t.Helper()
	if asked, _ := Asked(); len(asked) == 1 && asked[0] == SQLite {
		t.Skip("HOLDFAST_TEST_ENGINES=sqlite asks for a run without servers")
	}
}
