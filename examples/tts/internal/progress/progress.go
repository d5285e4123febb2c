// Package progress shows how far a run is: a bar where somebody watches, a line now and then where a file does.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress counts towards a total. It may be used by several goroutines.
type Progress struct {
	mu    sync.Mutex
	show  display
	done  int
	total int
	ended bool
}

type display interface {
	set(done int)
	end(done int)
}

// New starts at 0 of total. It draws a bar if out is a terminal, and else writes a line at every tenth of the way.
func New(out io.Writer, label string, total int) *Progress {
	total = max(total, 1) // of nothing, all is to be done
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return &Progress{total: total, show: newBar(out, label, total)}
	}
	return &Progress{total: total, show: &lines{out: out, label: label, total: total}}
}

// Add says that n more are done. What goes beyond the total is not shown.
func (p *Progress) Add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if done := min(p.done+n, p.total); done != p.done && !p.ended {
		p.done = done
		p.show.set(done)
	}
}

// End leaves the display as it stands, at less than the total when the run was interrupted, and ends its line.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		p.show.end(p.done)
	}
}

// bar is for people. That the terminal went away is of no interest to a run.
type bar struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	total int
	shown int // in parts of barSteps
}

const barSteps = 200 // more than a terminal can show; a step is a write to it

func newBar(out io.Writer, label string, total int) *bar {
	return &bar{out: out, total: total, bar: progressbar.NewOptions(total,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetDescription(label),
		progressbar.OptionSetWidth(40),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(false), // the end depends on what the writers still do
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: " ", BarEnd: " "}),
	)}
}

func (b *bar) set(done int) {
	if step := barSteps * done / b.total; step > b.shown {
		b.shown = step
		_ = b.bar.Set(done)
	}
}

func (b *bar) end(done int) {
	_ = b.bar.Set(done)
	_ = b.bar.Exit()
	_, _ = fmt.Fprintln(b.out)
}

// lines is for log files.
type lines struct {
	out          io.Writer
	label        string
	total        int
	tenth, shown int
}

func (l *lines) set(done int) {
	if tenth := 10 * done / l.total; tenth > l.tenth {
		l.tenth = tenth
		l.print(done)
	}
}

func (l *lines) end(done int) {
	if done != l.shown {
		l.print(done)
	}
}

func (l *lines) print(done int) {
	l.shown = done
	_, _ = fmt.Fprintf(l.out, "%s: %3d %% (%d of %d)\n", l.label, 100*done/l.total, done, l.total)
}
