package report_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/tts/internal/report"
	"github.com/holdfast-go/holdfast/examples/tts/internal/summary"
	"github.com/holdfast-go/holdfast/examples/tts/internal/timeline"
)

var sample = flag.String("sample", "", "write the page of two simulated runs to this file, to look at it")

func render(t *testing.T, runs ...report.Run) string {
	t.Helper()
	var page strings.Builder
	require.NoError(t, report.Write(&page, runs...))
	return page.String()
}

func TestPage(t *testing.T) {
	runs := []report.Run{simulate("skip-locked", 4, 4, 320, 700), simulate("none", 4, 4, 320, 900)}
	page := render(t, runs...)
	if *sample != "" {
		require.NoError(t, report.WriteFile(*sample, runs...))
	}
	require.Greater(t, runs[1].Summary.Stale, 1, "the simulated race")

	assert.Contains(t, page, "<h1>With skip-locked no file is stale; without locks 17 of 320 files speak an old text.</h1>")
	assert.Equal(t, 2, strings.Count(page, `<canvas class="chart"`))
	assert.Equal(t, 1, strings.Count(page, `data-do="next"`), "only the run with stale files leads to them")
	assert.Contains(t, page, "passed over locked rows")
	assert.NotContains(t, page, "Drawn are the first")
	assert.Less(t, len(page), 400_000)
}

func TestPageNeedsNothingElse(t *testing.T) {
	page := render(t, simulate("none", 2, 2, 40, 120))
	for _, outside := range []string{`https?://`, `\ssrc=`, `<link`, `@import`, `url\(`, `fetch\(`, `\bimport\b`} {
		assert.NotRegexp(t, regexp.MustCompile(outside), page)
	}
}

// The texts come from a file that the user names, so they may contain anything.
func TestTextsCannotBreakOut(t *testing.T) {
	evil := `</script><script>alert("gotcha")</script><img src=x onerror=alert(1)> {{.}}`
	run := simulate("none", 1, 1, 4, 4)
	run.Summary.Engine, run.Summary.Stale = evil, 1
	run.Recording.Bars[0].Note = evil
	run.Recording.Stale = []timeline.StaleFile{{Row: 1, Spoken: evil, Text: evil}}
	page := render(t, run)
	assert.NotContains(t, page, `<script>alert`)
	assert.NotContains(t, page, `<img src=x`)

	var data struct{ Pins []struct{ Spoken string } }
	chart := regexp.MustCompile(`<script type="application/json">(.*)</script>`).FindStringSubmatch(page)
	require.NotNil(t, chart)
	require.NoError(t, json.Unmarshal([]byte(chart[1]), &data))
	assert.Equal(t, evil, data.Pins[0].Spoken)
}

func TestPageOfNothing(t *testing.T) {
	page := render(t, report.Run{Summary: summary.Summary{Engine: "SQLite", Locking: "wait", Interrupted: true}})
	assert.Contains(t, page, "<h1>With wait (interrupted) no file is stale.</h1>")
	assert.Contains(t, page, "No block was recorded.")
	assert.NotContains(t, page, "<canvas")

	assert.ErrorContains(t, report.Write(&strings.Builder{}), "no run")
}

func TestPageSaysWhatItLeavesOut(t *testing.T) {
	run := simulate("none", 2, 2, 40, 80)
	run.Recording.Totals.Dropped = 7
	for row := range int64(100) {
		run.Recording.Stale = append(run.Recording.Stale, timeline.StaleFile{Row: row})
	}
	page := render(t, run)
	bars := len(run.Recording.Bars)
	assert.Contains(t, page, fmt.Sprintf("Drawn are the first %d of %d attempts.", bars, bars+7))
	assert.Contains(t, page, fmt.Sprintf("And %d more.", len(run.Recording.Stale)-60))
}

func TestChartKeepsWhatHappened(t *testing.T) {
	ms := time.Millisecond
	span := func(start, end int) timeline.Span {
		return timeline.Span{Start: time.Duration(start) * ms, End: time.Duration(end) * ms}
	}
	recording := timeline.Recording{
		Lanes: []timeline.LaneInfo{{Role: timeline.Worker, Name: "worker 1"}, {Role: timeline.Writer, Name: "writer 1"}},
		Bars: []timeline.Bar{
			{Span: span(5, 7), Lane: 1, Block: "edit", Attempt: 2, Outcome: timeline.Committed, Rows: []int64{9}, RowCount: 1},
			{Span: span(4, 8), Lane: 0, Block: "claim", Attempt: 1, Outcome: timeline.Committed, Rows: []int64{9}, RowCount: 1,
				Skipped: 2, Unlocked: true, Waits: []timeline.Span{span(4, 6)}},
			{Span: span(9, 10), Lane: 0, Block: "claim", Attempt: 1, Outcome: timeline.Refused, Note: "locked"},
		},
		Stale:    []timeline.StaleFile{{Row: 9, Spoken: "old", Text: "new"}},
		Duration: 10 * ms,
	}
	page := render(t, report.Run{Recording: recording})
	chart := regexp.MustCompile(`<script type="application/json">(.*)</script>`).FindStringSubmatch(page)
	require.NotNil(t, chart)
	assert.JSONEq(t, `{
		"lanes": [{"role": "worker", "name": "worker 1"}, {"role": "writer", "name": "writer 1"}],
		"names": ["claim", "edit"],
		"bars": [
			{"l": 0, "b": 0, "s": 4000, "d": 4000, "r": [9], "n": 1, "k": 2, "w": [[4000, 2000]], "u": true},
			{"l": 0, "b": 0, "s": 9000, "d": 1000, "o": "lock refused", "t": "locked"},
			{"l": 1, "b": 1, "s": 5000, "d": 2000, "a": 2, "r": [9], "n": 1}
		],
		"pins": [{"row": 9, "spoken": "old", "text": "new", "render": 0, "edit": 2}],
		"duration": 10000
	}`, chart[1])
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	require.NoError(t, report.WriteFile(path, simulate("wait", 1, 1, 4, 4)))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(content), "</html>")

	require.Error(t, report.WriteFile(path), "no run")
	again, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, content, again)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1)

	err = report.WriteFile(filepath.Join(dir, "no such", "report.html"), report.Run{})
	assert.ErrorIs(t, err, os.ErrNotExist)
}
