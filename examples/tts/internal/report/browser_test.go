package report_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// drive exercises the page and leaves what it saw in the document's title: errors, whether the charts were painted, and
// what the tooltip says over the first stale file.
const drive = `
<script>
const problems = [];
addEventListener("error", (event) => problems.push(event.message));
setTimeout(() => {
  const chart = charts[1], painted = (canvas) =>
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0);
  const blank = [...document.querySelectorAll("canvas")].filter((canvas) => !painted(canvas)).length;
  for (const key of ["n", "+", "-", "ArrowLeft", "ArrowRight", "Escape"]) {
    chart.canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }
  const zoomed = chart.view.length < chart.view.whole;
  document.querySelectorAll("[data-do=fit]")[1].click();
  chart.paint();
  const spot = chart.drawn.spot(chart.run.pins[0].bar), box = chart.canvas.getBoundingClientRect();
  chart.canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + spot.x, clientY: box.top + spot.y }));
  document.title = JSON.stringify({ problems, blank, zoomed, fits: chart.view.fits, tip: document.querySelector("#tooltip h3").textContent });
}, 300);
</script>`

// A browser is asked for by name, HOLDFAST_TEST_BROWSER=chromium; without that, nothing here can tell whether the page
// draws, and the test says so.
func TestPageInABrowser(t *testing.T) {
	browser := os.Getenv("HOLDFAST_TEST_BROWSER")
	if browser == "" {
		t.Skip("HOLDFAST_TEST_BROWSER names no Chromium or Chrome")
	}
	runs := render(t, simulate("skip-locked", 4, 4, 320, 700), simulate("none", 4, 4, 320, 900))
	path := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(runs, "</body>", drive+"</body>", 1)), 0o600))

	out, err := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--virtual-time-budget=3000",
		"--window-size=1400,1000", "--dump-dom", "file://"+path).Output()
	require.NoError(t, err)
	_, title, _ := strings.Cut(string(out), "<title>")
	title, _, _ = strings.Cut(title, "</title>")
	assert.Regexp(t, `^{"problems":\[\],"blank":0,"zoomed":true,"fits":true,"tip":"Stale file of row \d+"}$`, title)
}
