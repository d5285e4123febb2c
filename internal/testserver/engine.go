package testserver

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

// enginesVariable lists the engines that a run is to test.
const enginesVariable = "HOLDFAST_TEST_ENGINES"

// All returns every engine.
func All() []Engine { return []Engine{SQLite, MySQL, MariaDB, Postgres} }

// Servers returns the engines that are servers: all but SQLite.
func Servers() []Engine { return []Engine{MySQL, MariaDB, Postgres} }

// Asked returns the engines that this run is to test: those that
// HOLDFAST_TEST_ENGINES lists, or all of them if it is not set.
func Asked() ([]Engine, error) {
	list := os.Getenv(enginesVariable)
	if list == "" {
		return All(), nil
	}
	var asked []Engine
	for name := range strings.SplitSeq(list, ",") {
		engine := Engine(strings.TrimSpace(name))
		if !slices.Contains(All(), engine) {
			return nil, fmt.Errorf(enginesVariable+" lists %q; the engines are %v", name, All())
		}
		asked = append(asked, engine)
	}
	return asked, nil
}

// Variable is the name of an environment variable of this engine:
// HOLDFAST_TEST_MYSQL for ("TEST_", ""), HOLDFAST_MYSQL_IMAGE for ("", "_IMAGE").
func (e Engine) Variable(before, after string) string {
	return "HOLDFAST_" + before + strings.ToUpper(string(e)) + after
}

// Restrict skips a test of an engine that the person who started the run has
// left out.
func Restrict(t testing.TB, engine Engine) {
	t.Helper()
	asked, err := Asked()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(asked, engine) {
		t.Skipf(enginesVariable+"=%s leaves %s out", os.Getenv(enginesVariable), engine)
	}
}
