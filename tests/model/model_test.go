package model

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/soak"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := setPrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	goleak.VerifyTestMain(m)
}

// setPrograms has rapid run 300 programs on each engine, or as many as a soak does, and
// not shrink them, which is for reduce.
func setPrograms() error {
	return cmp.Or(flag.Set("rapid.shrinktime", "0s"), soak.Programs("300"))
}

// A program that fails is kept in testdata/rapid and runs first from then on,
// until the generator changes; then kept_test.go is the place for it.
func TestPrograms(t *testing.T) { programsOn(t, deferred) }

// The same where each control statement takes a round trip of its own.
func TestProgramsUndeferred(t *testing.T) { programsOn(t, undeferred, testdb.Servers()...) }

func programsOn(t *testing.T, source func(*testing.T, testdb.Database) dialect.Source, engines ...testdb.Engine) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testdb.Database) {
		tg := newTarget(t, db, source)
		reports := map[string]string{}
		rapid.Check(t, func(rt *rapid.T) {
			p := programs().Draw(rt, "program")
			diff := tg.compare(p)
			if diff == "" {
				return
			}
			if reports[p.String()] == "" { // rapid comes back with the same program
				small := reduce(p, func(p Program) bool { return tg.compare(p) != "" })
				reports[p.String()] = fmt.Sprintf("\n%s\n%s", small, cmp.Or(tg.compare(small), "seen once: "+diff))
			}
			rt.Fatal(reports[p.String()])
		})
		require.NoError(t, tg.idleAfterAll(t.Context()))
	}, engines...)
}
