package tests

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tests/soak"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The suite has to pass unchanged on servers with unusual settings. "make test"
// runs what they could change, on a MySQL of its own; "make test-versions" and
// "make soak" run all of it.

func TestA01_OnAServerWithAutocommitOff(t *testing.T) {
	t.Parallel()
	runOn(t, "autocommit", "0", "--autocommit=0")
}

func TestB08_OnAServerThatRollsBackOnTimeout(t *testing.T) {
	t.Parallel()
	runOn(t, "innodb_rollback_on_timeout", "1", "--innodb-rollback-on-timeout")
}

// runOn runs this test binary again, against servers with a flag.
func runOn(t *testing.T, variable, value, flag string) {
	t.Helper()
	engines, core := []testdb.Engine{testdb.MySQL}, "^Test(A0|B06|B07|B08|B13|B17|B21|B23|S06)"
	if soak.Asked() {
		engines, core = append(engines, testdb.MariaDB), "^Test[ABS][0-9]"
	}
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			server := testdb.NewServer(t, engine, testdb.Flags(flag))
			var found string
			require.NoError(t, server.New(t).Admin.QueryRowContext(t.Context(), "SELECT @@GLOBAL."+variable).Scan(&found))
			require.Equal(t, value, found, "the flag has arrived")

			suite := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+core, "-test.skip=_OnAServer", "-test.v", "-test.timeout=10m")
			suite.Env = append(os.Environ(),
				"HOLDFAST_TEST_ENGINES="+string(engine), "HOLDFAST_TEST_"+strings.ToUpper(string(engine))+"="+server.DSN)
			output, err := suite.CombinedOutput()
			passed := strings.Count(string(output), "--- PASS: ")
			require.NoError(t, err, "%s", failures(string(output)))
			assert.Greater(t, passed, 30, "tests that ran")
		})
	}
}

// failures leaves out what has passed.
func failures(output string) string {
	var kept []string
	for line := range strings.Lines(output) {
		for _, noise := range []string{"=== RUN", "=== PAUSE", "=== CONT", "--- PASS", "packets.go"} {
			if strings.Contains(line, noise) {
				line = ""
			}
		}
		if line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
