package site

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/browser"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// window is a visitor's browser, with cookies of its own.
type window struct{ ctx context.Context }

// do fails the test if something is not so within a time.
func (w window) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 30*time.Second)
	defer cancel()
	require.NoError(t, chromedp.Do(ctx, actions...))
}

func (w window) text(t *testing.T, selector string) string {
	t.Helper()
	return ask(t, w, chromedp.Text(chromedp.CSS(selector)))
}

func ask[T any](t *testing.T, w window, what chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 30*time.Second)
	defer cancel()
	answer, err := chromedp.Run(ctx, what)
	require.NoError(t, err)
	return answer
}

func visible(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.WaitVisible(chromedp.CSS(selector))
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

// follow clicks on what leads to another page, and waits for that.
func (w window) follow(t *testing.T, selector string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 30*time.Second)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, click(selector))
	require.NoError(t, err)
}

// keep takes a picture, if somebody has asked for it by naming a folder.
func (w window) keep(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv("HOLDFAST_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture := ask(t, w, chromedp.FullScreenshot(100))
	require.NoError(t, os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600))
}

// Two windows, one seat: one visitor gets it, the other sees that somebody is taking it, and
// later that it is sold, on a page that he has not loaded again.
func TestTwoWindowsOneSeat(t *testing.T) {
	she, he, b := windows(t)
	const seat = "#seat-13"
	she.do(t, chromedp.Navigate(b.url), visible(seat+".free"))
	he.do(t, chromedp.Navigate(b.url), visible(seat+".free"))

	she.follow(t, seat)
	he.do(t, visible(seat+".held")) // by itself
	he.follow(t, seat)
	assert.Equal(t, "Seat B5: Somebody is just taking this seat. It may come free again.", he.text(t, "#notice"))
	he.keep(t, "taking")
	she.keep(t, "pay")

	he.do(t, chromedp.Focus(chromedp.CSS("#seat-14")))
	she.do(t, chromedp.SendKeys(chromedp.CSS("#email"), "she@example.com\r"), visible(".ticket"))
	she.keep(t, "ticket")
	he.do(t, visible(seat+".sold"), visible("#outbox .mails"))
	assert.Equal(t, "seat-14", ask(t, he, chromedp.Evaluate[string]("document.activeElement.id")), "what changes takes nobody's place away")
	assert.Contains(t, he.text(t, "#outbox"), "she@example.com\nYour ticket for seat B5")
	he.follow(t, seat)
	assert.Equal(t, "Seat B5: This seat is sold.", he.text(t, "#notice"))

	// The keyboard does the same.
	he.do(t, chromedp.Focus(chromedp.CSS("#seat-14")), chromedp.KeyEvent("\r"), visible("#pay"), click("#release"), visible("#seat-14.free"))
}

// Both buttons of the load, and what they come to on the page.
func TestTheLoadInABrowser(t *testing.T) {
	she, _, b := windows(t)
	she.do(t, chromedp.Navigate(b.url), click("#load-locks"), visible("#twice-with .good"))
	assert.Equal(t, "none", she.text(t, "#twice-with"))
	she.do(t, click("#load-naive:enabled"), visible("#twice-without .bad"), visible(".seat.twice"))
	assert.NotEqual(t, "none", she.text(t, "#twice-without"))
	she.keep(t, "load")
}

// windows opens a site with a browser and two visitors.
func windows(t *testing.T) (she, he window, b *bed) {
	t.Helper()
	path := browser.Find(t)
	b = newBed(t, testdb.New(t, testdb.SQLite), func(h http.Handler) http.Handler { return h })
	chrome, end := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(path), chromedp.Headless,
		chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	first, endFirst := chromedp.NewContext(chrome)
	t.Cleanup(func() {
		_ = chromedp.Cancel(first) // waits for the process
		endFirst()
		end()
	})
	require.NoError(t, chromedp.Do(first))
	second, endSecond := chromedp.NewContext(first, chromedp.WithNewBrowserContext())
	t.Cleanup(endSecond)
	require.NoError(t, chromedp.Do(second))
	return window{first}, window{second}, b
}
