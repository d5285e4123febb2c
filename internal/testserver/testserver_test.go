package testserver_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A run without servers passes, and says which variable would name one; a run
// that was asked for an engine does not pass without its server.
func TestAnEngineWithoutAServer(t *testing.T) {
	for _, test := range []struct{ engines, server, verdict, says string }{
		{"", "", "SKIP", "HOLDFAST_TEST_POSTGRES is not set"},
		{"sqlite", "", "SKIP", "HOLDFAST_TEST_ENGINES=sqlite leaves postgres out"},
		{"sqlite,postgres", "", "FAIL", "HOLDFAST_TEST_POSTGRES names no server"},
		{"oracle", "", "FAIL", `lists "oracle"`},
		{"", "nonsense", "FAIL", "HOLDFAST_TEST_POSTGRES is not of the form"},
	} {
		t.Run(test.engines+test.server, func(t *testing.T) {
			t.Parallel()
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNewPostgres$", "-test.v")
			for _, v := range os.Environ() {
				if !strings.HasPrefix(v, "HOLDFAST_TEST_") {
					child.Env = append(child.Env, v)
				}
			}
			child.Env = append(child.Env, "HOLDFAST_TEST_ENGINES="+test.engines, "HOLDFAST_TEST_POSTGRES="+test.server)
			out, err := child.CombinedOutput()
			require.Equal(t, test.verdict == "FAIL", err != nil, "%s", out)
			require.Contains(t, string(out), "--- "+test.verdict+": TestNewPostgres")
			require.Contains(t, string(out), test.says)
		})
	}
}

func TestNewPostgres(t *testing.T) {
	db := testserver.New(t, testserver.Postgres)
	require.NoError(t, db.Admin.PingContext(t.Context()))
}

func TestEachGivesSQLiteAFileOfItsOwn(t *testing.T) {
	var seen []string
	for range 2 {
		t.Run("each", func(t *testing.T) { // returns after its parallel subtest
			testserver.Each(t, func(t *testing.T, db testserver.Database) { seen = append(seen, db.DSN) }, testserver.SQLite)
		})
	}
	if len(seen) == 0 {
		t.SkipNow() // as the test in it was
	}
	require.NotEqual(t, seen[0], seen[1])
}
