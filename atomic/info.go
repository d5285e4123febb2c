package atomic

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// BlockInfo says which block an error is about.
type BlockInfo struct {
	Name  string // the Name option; may be ""
	Depth int    // 1 is the outermost; 0 means outside any block
	File  string // where Do was called
	Line  int
}

// String is `block "claim" (depth 2, scheduler.go:88)`.
func (b BlockInfo) String() string {
	if b.Depth == 0 {
		return "outside any block"
	}
	var s strings.Builder
	s.WriteString("block ")
	if b.Name != "" {
		fmt.Fprintf(&s, "%q ", b.Name)
	}
	fmt.Fprintf(&s, "(depth %d", b.Depth)
	if b.File != "" {
		fmt.Fprintf(&s, ", %s:%d", filepath.Base(b.File), b.Line)
	}
	s.WriteString(")")
	return s.String()
}

func (b BlockInfo) prefix() string {
	if b.Depth == 0 {
		return ""
	}
	return b.String() + ": "
}

// site is a few return addresses, resolved only when an error has to name the
// place where a block was opened.
type site [6]uintptr

func here() (s site) {
	runtime.Callers(3, s[:])
	return s
}

// position is the first frame outside this library.
func (s *site) position() (file string, line int) {
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
	const module = "github.com/holdfast-go/holdfast/"
	if strings.HasSuffix(f.File, "_test.go") {
		return false
	}
	return strings.HasPrefix(f.Function, module+"atomic.") || strings.HasPrefix(f.Function, module+"orm.") ||
		strings.HasPrefix(f.Function, "database/sql.")
}
