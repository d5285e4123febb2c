package testserver

import (
	"os"
	"slices"
	"testing"
)

// New returns a fresh database on the server of an engine. It and its Admin are
// gone after the test.
func New(t testing.TB, engine Engine) Database {
	t.Helper()
	Restrict(t, engine)
	if engine == SQLite {
		return NewSQLite(t)
	}
	server, err := Named(engine)
	if err != nil {
		t.Fatalf("testserver: %v", err)
	}
	if server == nil {
		variable := engine.Variable("TEST_", "")
		if demanded(engine) {
			t.Fatalf(enginesVariable+" asks for %s, and %s names no server: set it, or run \"make test\"", engine, variable)
		}
		t.Skipf("no server: %s is not set (\"make test\" sets it)", variable)
	}
	return server.New(t)
}

// Each runs a test on each of the engines, or on all if none is given, as
// parallel subtests named after the engine, with a fresh database for each.
func Each(t *testing.T, test func(t *testing.T, db Database), engines ...Engine) {
	t.Helper()
	EachFrom(t, New, test, engines...)
}

// EachFrom is [Each] with the databases of another source.
func EachFrom(t *testing.T, source func(testing.TB, Engine) Database, test func(t *testing.T, db Database), engines ...Engine) {
	t.Helper()
	if len(engines) == 0 {
		engines = All()
	}
	asked, err := Asked()
	if err != nil {
		t.Fatal(err)
	}
	engines = slices.DeleteFunc(slices.Clone(engines), func(e Engine) bool { return !slices.Contains(asked, e) })
	if len(engines) == 0 {
		t.Skipf(enginesVariable+"=%v leaves no engine that this test is for", asked)
	}
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			test(t, source(t, engine))
		})
	}
}

// Many is n where a run has servers, and a fifth of it where there is none: "go test" of
// the library by itself tells at once, a run on every engine proves.
func Many(n int) int {
	for _, engine := range Servers() {
		if os.Getenv(engine.Variable("TEST_", "")) != "" {
			return n
		}
	}
	return n / 5
}
