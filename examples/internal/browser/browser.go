// Package browser finds the browser of the tests that open the examples' pages.
package browser

import (
	"os/exec"
	"testing"
)

// Find returns the path of a browser, and skips the test where there is none: only a
// browser can tell whether a page draws, but the library needs none, so that a user's
// machine need not have one. .ci/run installs it.
func Find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("neither Chromium nor Chrome is installed here; nothing but this page's test needs one, and .ci/run installs it")
	return ""
}
