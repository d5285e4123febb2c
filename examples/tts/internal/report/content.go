package report

import (
	"fmt"
	"html/template"

	"github.com/holdfast-go/holdfast/examples/tts/internal/summary"
	"github.com/holdfast-go/holdfast/examples/tts/internal/timeline"
)

// content is what page.html is filled with.
type content struct {
	Headline string
	Sections []section
	Style    template.CSS
	Script   template.JS
}

// section is the part of the page for one run.
type section struct {
	summary.Summary
	Marks marks // what its chart shows
	Lost  []timeline.LostEdit
	More  int // stale files beyond those in Lost
	Drawn int
	All   int
	Chart chart
}

// marks says which marks occur, so that the legend explains those and no others.
type marks struct {
	Worker, Writer, Wait, RolledBack, Skipped, Unlocked bool
}

const listedLost = 60 // rows of the table of stale files; the chart pins all of them

func sections(runs []Run) []section {
	list := make([]section, len(runs))
	for i, run := range runs {
		lost := run.Recording.LostEdits()
		s := section{
			Summary: run.Summary,
			Lost:    lost[:min(len(lost), listedLost)],
			Drawn:   len(run.Recording.Bars),
			All:     len(run.Recording.Bars) + run.Recording.Totals.Dropped,
			Chart:   newChart(run.Recording, lost),
		}
		s.More = len(lost) - len(s.Lost)
		for _, bar := range run.Recording.Bars {
			role := run.Recording.Lanes[bar.Lane].Role
			s.Marks.Writer = s.Marks.Writer || role == timeline.Writer
			s.Marks.Worker = s.Marks.Worker || role == timeline.Worker && !bar.Unlocked
			s.Marks.Wait = s.Marks.Wait || len(bar.Waits) > 0
			s.Marks.RolledBack = s.Marks.RolledBack || bar.Outcome != timeline.Committed
			s.Marks.Skipped = s.Marks.Skipped || bar.Skipped > 0
			s.Marks.Unlocked = s.Marks.Unlocked || bar.Unlocked
		}
		list[i] = s
	}
	return list
}

// headline says in a sentence what the page shows.
func headline(runs []Run) string {
	if len(runs) == 1 {
		return capital(sentence(runs[0].Summary)) + "."
	}
	text := ""
	for i, run := range runs {
		if i > 0 {
			text += "; "
		}
		text += sentence(run.Summary)
	}
	return capital(text) + "."
}

func sentence(s summary.Summary) string {
	with := "with " + s.Locking
	if s.Locking == summary.NoLocks {
		with = "without locks"
	}
	if s.Interrupted {
		with += " (interrupted)"
	}
	switch s.Stale {
	case 0:
		return with + " no file is stale"
	case 1:
		return with + fmt.Sprintf(" 1 of %d files speaks an old text", s.Rows)
	}
	return with + fmt.Sprintf(" %d of %d files speak an old text", s.Stale, s.Rows)
}

func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
