package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table has a row for each library and a column for each block.
type table struct {
	title  string
	all    []*contestant
	blocks []block
	cells  map[cell]float64
	verb   string // how a cell is written
	runs   int    // so many runs were timed of a block; 0: this is no matter of time
}

type cell struct{ row, column string }

func newTable(all []*contestant, blocks []block) table {
	return table{all: all, blocks: blocks, cells: map[cell]float64{}, verb: "%.2f"}
}

func (t table) set(c *contestant, b block, v float64) { t.cells[cell{c.Name, b.name}] = v }

func (t table) titled(title string) table { t.title = title; return t }

// differences has, for each block that is measured by another one, what it takes
// more.
func (t table) differences() table {
	d := t
	d.cells, d.verb = map[cell]float64{}, "%.0f"
	for at, v := range t.cells {
		for _, b := range t.blocks {
			if b.name == at.column && b.beyond != "" {
				v -= t.cells[cell{at.row, b.beyond}]
			}
		}
		d.cells[at] = v
	}
	return d
}

// ratios has what Holdfast takes, as a part of what each takes.
func (t table) ratios() table {
	r := t
	r.cells = map[cell]float64{}
	first := t.all[0].Name
	for at, v := range t.cells {
		r.cells[at] = t.cells[cell{first, at.column}] / v
	}
	return r
}

var formats = map[string]func(io.Writer, table){"text": text, "markdown": markdown}

func text(out io.Writer, t table) {
	fmt.Fprintf(out, "%s%s\n\n", t.title, t.note())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  library\t%s\n", strings.Join(t.columns(), "\t"))
	t.rows(func(name string, cells []string) { fmt.Fprintf(w, "  %s\t%s\n", name, strings.Join(cells, "\t")) })
	_ = w.Flush()
	fmt.Fprintln(out)
}

func markdown(out io.Writer, t table) {
	fmt.Fprintf(out, "%s%s\n\n| library | %s |\n|---|%s\n", t.title, t.note(), strings.Join(t.columns(), " | "), strings.Repeat("---:|", len(t.blocks)))
	t.rows(func(name string, cells []string) { fmt.Fprintf(out, "| %s | %s |\n", name, strings.Join(cells, " | ")) })
	fmt.Fprintln(out)
}

func (t table) columns() (names []string) {
	for _, b := range t.blocks {
		names = append(names, b.name)
	}
	return names
}

func (t table) note() string {
	if t.runs == 0 {
		return ""
	}
	return fmt.Sprintf(" (up to %d runs)", t.runs)
}

func (t table) rows(row func(name string, cells []string)) {
	for _, c := range t.all {
		var cells []string
		for _, column := range t.columns() {
			cells = append(cells, fmt.Sprintf(t.verb, t.cells[cell{c.Name, column}]))
		}
		row(strings.TrimSpace(c.Name+" "+c.Version()), cells)
	}
}
