package summary_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/tts/internal/summary"
)

var locked = summary.Summary{
	Engine: "SQLite 3.53.1", Locking: "skip-locked", Voice: "tones",
	Rows: 320, Edits: 400, Workers: 4, Writers: 4, Rendered: 611,
	Blocks: 1204, Retries: 3, LockWaits: 52, Skipped: 18, Elapsed: 4321 * time.Millisecond,
}

func unlocked() summary.Summary {
	run := locked
	run.Locking, run.Stale, run.Skipped, run.Elapsed, run.Interrupted = "none", 17, 0, time.Second, true
	return run
}

func TestPrint(t *testing.T) {
	var out strings.Builder
	require.NoError(t, summary.Print(&out, locked, unlocked()))
	assert.Equal(t, `engine           SQLite 3.53.1   SQLite 3.53.1
locking          skip-locked     none
voice            tones           tones
rows             320             320
edits            400             400
workers          4               4
writers          4               4
files rendered   611             611
blocks           1204            1204
retries          3               3
lock waits       52              52
locks refused    0               0
rows skipped     18              0
stale files      0               17
seconds          4.32            1.00 (interrupted)

skip-locked: stale files: 0: every file speaks the text of its row
none: stale files: 17 of 320: edited while they were rendered, and nothing was locked
`, out.String())
}

func TestPrintOneRun(t *testing.T) {
	var out strings.Builder
	require.NoError(t, summary.Print(&out, locked))
	assert.Contains(t, out.String(), "\nstale files: 0: every file speaks the text of its row\n")
	require.NoError(t, summary.Print(&out))
}

func TestPrintReportsAClosedOutput(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	assert.ErrorIs(t, summary.Print(file, locked), os.ErrClosed)
}

func TestOnlyAStaleFileUnderLocksIsAFailure(t *testing.T) {
	assert.False(t, locked.Failed())
	assert.False(t, unlocked().Failed())
	broken := unlocked()
	broken.Locking = "wait"
	assert.True(t, broken.Failed())
	assert.Contains(t, broken.Verdict(), "stale files: 17 of 320: with locks there must be none")
}

func TestVerdictOfAnInterruptedRun(t *testing.T) {
	run := locked
	run.Pending = 9
	assert.Contains(t, run.Verdict(), "9 rows still wait")
	run = unlocked()
	run.Stale = 0
	assert.Contains(t, run.Verdict(), "no edit met a render this time")
}
