// Package summary says how a run went: the table at its end, and the one number that it is about.
package summary

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// NoLocks is the locking that is expected to go wrong.
const NoLocks = "none"

// Summary is the result of one run.
type Summary struct {
	Engine  string // with its version: "PostgreSQL 17.6"
	Locking string // as the option -locking names it
	Voice   string // what rendered

	Rows     int
	Edits    int // that were committed
	Workers  int
	Writers  int
	Rendered int // files written, those that were written over later included
	Pending  int // rows that still need audio, because the run was interrupted

	Blocks    int
	Retries   int
	LockWaits int
	Refused   int // blocks that would not wait for a lock
	Skipped   int // rows passed over because they were locked
	Stale     int // files that speak something else than their row says

	Elapsed     time.Duration
	Interrupted bool
}

// Failed reports whether the run broke the promise that it was to show: a stale file although rows were locked.
func (s Summary) Failed() bool { return s.Stale > 0 && s.Locking != NoLocks }

// Verdict is the result in one line; it begins "stale files: N".
func (s Summary) Verdict() string {
	switch {
	case s.Failed():
		return fmt.Sprintf("stale files: %d of %d: with locks there must be none", s.Stale, s.Rows)
	case s.Stale > 0:
		return fmt.Sprintf("stale files: %d of %d: edited while they were rendered, and nothing was locked", s.Stale, s.Rows)
	case s.Pending > 0:
		return fmt.Sprintf("stale files: 0: every file speaks the text of its row; %d rows still wait for theirs", s.Pending)
	case s.Locking == NoLocks:
		return "stale files: 0: no edit met a render this time; try more -edits or -writers"
	}
	return "stale files: 0: every file speaks the text of its row"
}

// Field is one line of the table.
type Field struct{ Name, Value string }

// Fields are the lines of the table, in order.
func (s Summary) Fields() []Field {
	seconds := fmt.Sprintf("%.2f", s.Elapsed.Seconds())
	if s.Interrupted {
		seconds += " (interrupted)"
	}
	n := strconv.Itoa
	return []Field{
		{"engine", s.Engine},
		{"locking", s.Locking},
		{"voice", s.Voice},
		{"rows", n(s.Rows)},
		{"edits", n(s.Edits)},
		{"workers", n(s.Workers)},
		{"writers", n(s.Writers)},
		{"files rendered", n(s.Rendered)},
		{"blocks", n(s.Blocks)},
		{"retries", n(s.Retries)},
		{"lock waits", n(s.LockWaits)},
		{"locks refused", n(s.Refused)},
		{"rows skipped", n(s.Skipped)},
		{"stale files", n(s.Stale)},
		{"seconds", seconds},
	}
}

// Print writes the table, a column for each run, and the verdict on each.
func Print(w io.Writer, runs ...Summary) error {
	if len(runs) == 0 {
		return nil
	}
	rows := make([][]string, 0, len(runs[0].Fields()))
	for _, field := range runs[0].Fields() {
		rows = append(rows, []string{field.Name})
	}
	verdicts := ""
	for _, run := range runs {
		for i, field := range run.Fields() {
			rows[i] = append(rows[i], field.Value)
		}
		if len(runs) > 1 {
			verdicts += run.Locking + ": "
		}
		verdicts += run.Verdict() + "\n"
	}

	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(table, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n"+verdicts)
	return err
}
