package report_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/browser"
)

// drive exercises the page once its charts are painted, and tells what it saw: errors, how many charts stayed blank, and
// what the tooltip says over the first stale file. A chart is painted before a frame is shown, so frames are counted, not
// milliseconds.
const drive = `
<script>
const problems = [];
addEventListener("error", (event) => problems.push(event.message));
const painted = (canvas) => canvas.width && canvas.height &&
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0);
const look = (frames) => {
  const blank = [...document.querySelectorAll("canvas")].filter((canvas) => !painted(canvas)).length;
  if (blank > 0 && frames > 0) {
    requestAnimationFrame(() => look(frames - 1));
    return;
  }
  const chart = charts[1];
  for (const key of ["n", "+", "-", "ArrowLeft", "ArrowRight", "Escape"]) {
    chart.canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }
  const zoomed = chart.view.length < chart.view.whole;
  document.querySelectorAll("[data-do=fit]")[1].click();
  chart.paint();
  const spot = chart.drawn.spot(chart.run.pins[0].bar), box = chart.canvas.getBoundingClientRect();
  chart.canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + spot.x, clientY: box.top + spot.y }));
  fetch("LISTENER", { method: "POST", mode: "no-cors",
    body: JSON.stringify({ problems, blank, zoomed, fits: chart.view.fits, tip: document.querySelector("#tooltip h3").textContent }) });
};
requestAnimationFrame(() => look(100));
</script>`

func TestPageInABrowser(t *testing.T) {
	program := browser.Find(t)
	seen := make(chan string, 1)
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		said, err := io.ReadAll(r.Body)
		seen <- fmt.Sprintf("%s%v", said, err)
	}))
	t.Cleanup(listener.Close)
	page := render(t, simulate("skip-locked", 4, 4, 320, 700), simulate("none", 4, 4, 320, 900))
	page = strings.Replace(page, "</body>", strings.Replace(drive, "LISTENER", listener.URL, 1)+"</body>", 1)
	folder := t.TempDir()
	path := filepath.Join(folder, "page.html")
	require.NoError(t, os.WriteFile(path, []byte(page), 0o600))

	// It stays as long as it could be debugged.
	chrome := exec.Command(program, "--headless", "--no-sandbox", "--remote-debugging-port=0", "--window-size=1400,1000",
		"--user-data-dir="+filepath.Join(folder, "profile"), "file://"+path)
	var complaints strings.Builder
	chrome.Stderr = &complaints
	require.NoError(t, chrome.Start())
	ended := make(chan struct{})
	go func() {
		_ = chrome.Wait() // the signal below
		close(ended)
	}()
	select {
	case said := <-seen:
		assert.Regexp(t, `^{"problems":\[\],"blank":0,"zoomed":true,"fits":true,"tip":"Stale file of row \d+"}<nil>$`, said)
	case <-ended:
		require.Fail(t, "the browser has ended", complaints.String())
	case <-time.After(time.Minute):
		assert.Fail(t, "the page has said nothing")
	}
	require.NoError(t, chrome.Process.Signal(os.Interrupt))
	<-ended
}
