package seam

import (
	"runtime"
	"strings"
)

// Site is a few return addresses, resolved only when an error has to name the
// place where a block was opened.
type Site [12]uintptr

// Here is the place from which the function that calls Here was called.
func Here() (s Site) {
	runtime.Callers(3, s[:])
	return s
}

// Position is the first frame outside this library.
func (s *Site) Position() (file string, line int) {
	n := 0
	for n < len(s) && s[n] != 0 {
		n++
	}
	if n == 0 {
		return "", 0
	}
	frames := runtime.CallersFrames(s[:n])
	for {
		frame, more := frames.Next()
		if !ownFrame(frame) {
			return frame.File, frame.Line
		}
		if !more {
			return "", 0
		}
	}
}

func ownFrame(f runtime.Frame) bool {
	if strings.HasSuffix(f.File, "_test.go") {
		return false
	}
	const module = "github.com/holdfast-go/holdfast/"
	return strings.HasPrefix(f.Function, module+"atomic.") || strings.HasPrefix(f.Function, module+"orm.") ||
		strings.HasPrefix(f.Function, module+"internal/") || strings.HasPrefix(f.Function, "database/sql.")
}
