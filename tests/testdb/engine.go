package testdb

import (
	"testing"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// Engine is a kind of database. Its value names subtests and environment
// variables.
type Engine = testserver.Engine

// Database is an empty database for one test.
type Database = testserver.Database

// The engines that the suites run on.
const (
	SQLite   = testserver.SQLite
	MySQL    = testserver.MySQL
	MariaDB  = testserver.MariaDB
	Postgres = testserver.Postgres
)

// All returns every engine.
func All() []Engine { return testserver.All() }

// Servers returns the engines that are servers: all but SQLite.
func Servers() []Engine { return testserver.Servers() }

// Asked returns the engines that this run is to test: those that
// HOLDFAST_TEST_ENGINES lists, or all of them if it is not set.
func Asked() ([]Engine, error) { return testserver.Asked() }

// NeedsServers skips a test of what starts servers when the run is restricted to
// SQLite, which HOLDFAST_TEST_ENGINES=sqlite asks for where there is no Docker.
func NeedsServers(t testing.TB) {
	t.Helper()
	if asked, _ := Asked(); len(asked) == 1 && asked[0] == SQLite {
		t.Skip("HOLDFAST_TEST_ENGINES=sqlite asks for a run without servers")
	}
}
