package report

import (
	"slices"

	"github.com/holdfast-go/holdfast/examples/tts/internal/timeline"
)

// chart is what the page's program draws. Its keys are short and its zeros left out, because a recording of 20 000 bars
// travels in the page. Times are microseconds.
type chart struct {
	Lanes    []lane   `json:"lanes"`
	Names    []string `json:"names"` // of blocks
	Bars     []bar    `json:"bars"`  // by lane, then by start
	Pins     []pin    `json:"pins"`
	Duration int64    `json:"duration"`
}

type lane struct {
	Role string `json:"role"`
	Name string `json:"name"`
}

type bar struct {
	Lane     int        `json:"l"`
	Name     int        `json:"b"`
	Start    int64      `json:"s"`
	Length   int64      `json:"d"`
	Outcome  string     `json:"o,omitempty"` // committed if left out
	Attempt  int        `json:"a,omitempty"` // the first if left out
	Rows     []int64    `json:"r,omitempty"`
	RowCount int        `json:"n,omitempty"`
	Skipped  int        `json:"k,omitempty"`
	Waits    [][2]int64 `json:"w,omitempty"` // start and length
	Unlocked bool       `json:"u,omitempty"`
	Note     string     `json:"t,omitempty"`
}

// pin marks a stale file: Render and Edit are indexes into Bars, or -1.
type pin struct {
	Row    int64  `json:"row"`
	Spoken string `json:"spoken"`
	Text   string `json:"text"`
	Render int    `json:"render"`
	Edit   int    `json:"edit"`
}

func newChart(recording timeline.Recording, lost []timeline.LostEdit) chart {
	c := chart{
		Lanes:    make([]lane, len(recording.Lanes)),
		Names:    []string{},
		Bars:     make([]bar, len(recording.Bars)),
		Pins:     make([]pin, len(lost)),
		Duration: recording.Duration.Microseconds(),
	}
	for i, info := range recording.Lanes {
		c.Lanes[i] = lane{Role: string(info.Role), Name: info.Name}
	}

	// A recording is ordered by the end of its bars; the page looks them up by lane and start.
	order := make([]int, len(recording.Bars))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := recording.Bars[i], recording.Bars[j]
		if a.Lane != b.Lane {
			return a.Lane - b.Lane
		}
		return int(a.Start - b.Start)
	})
	place := map[int]int{-1: -1}
	names := make(map[string]int)
	for at, i := range order {
		place[i] = at
		name := recording.Bars[i].Block
		if _, ok := names[name]; !ok {
			names[name] = len(c.Names)
			c.Names = append(c.Names, name)
		}
		c.Bars[at] = newBar(recording.Bars[i], names[name])
	}
	for i, edit := range lost {
		c.Pins[i] = pin{edit.Row, edit.Spoken, edit.Text, place[edit.Render], place[edit.Edit]}
	}
	return c
}

func newBar(from timeline.Bar, name int) bar {
	b := bar{
		Lane: from.Lane, Name: name,
		Start: from.Start.Microseconds(), Length: (from.End - from.Start).Microseconds(),
		Rows: from.Rows, RowCount: from.RowCount, Skipped: from.Skipped,
		Unlocked: from.Unlocked, Note: from.Note,
	}
	if from.Outcome != timeline.Committed {
		b.Outcome = string(from.Outcome)
	}
	if from.Attempt > 1 {
		b.Attempt = from.Attempt
	}
	for _, wait := range from.Waits {
		b.Waits = append(b.Waits, [2]int64{wait.Start.Microseconds(), (wait.End - wait.Start).Microseconds()})
	}
	return b
}
