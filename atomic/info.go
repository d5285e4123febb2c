package atomic

import (
	"fmt"
	"path/filepath"
	"strings"
)

// BlockInfo says which block an error is about.
type BlockInfo struct {
	Name  string // the Name option; may be ""
	Depth int    // 1 is the outermost; 0 means outside any block
	File  string // where Do was called
	Line  int
	// Options are those in force, of the block itself, of the blocks around it and of
	// orm.WithBlock: "Isolation(Serializable), Retry(3), LockTimeout(1s)". It is for
	// people, and "" where nothing but the server's own settings holds.
	Options string
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
