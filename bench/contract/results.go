package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/holdfast-go/holdfast/bench/peers"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// results are the verdicts on libraries.
type results struct {
	lines     []line
	libraries []peers.Library
	engines   []testdb.Engine
	reasons   []reason
}

// reason is why a library is wrong.
type reason struct {
	library string
	engine  testdb.Engine
	line    int
	program string
	text    string
}

func newResults(lines []line, libraries []peers.Library, engines []testdb.Engine) *results {
	return &results{lines: lines, libraries: libraries, engines: engines}
}

func (r *results) note(library peers.Library, engine testdb.Engine, l line, p program, text string) {
	if text != "" {
		r.reasons = append(r.reasons, reason{library.Name, engine, l.number, p.name, text})
	}
}

// wrong counts the programs that a library got wrong.
func (r *results) wrong(library peers.Library) (n int) {
	for _, why := range r.reasons {
		if why.library == library.Name {
			n++
		}
	}
	return n
}

// verdict is "right", or where a library is wrong, or "-" if it was not tried.
func (r *results) verdict(library peers.Library, l line) string {
	var wrong []string
	tried := 0
	for _, engine := range r.engines {
		if !library.On(engine) {
			continue
		}
		tried++
		for _, why := range r.reasons {
			if why.library == library.Name && why.line == l.number && why.engine == engine {
				wrong = append(wrong, string(engine))
				break
			}
		}
	}
	switch {
	case tried == 0:
		return "-"
	case len(wrong) == 0:
		return "right"
	case len(wrong) == tried:
		return "wrong"
	}
	return "wrong on " + strings.Join(wrong, ", ")
}

func (r *results) print(out io.Writer, markdown bool) {
	for _, l := range r.lines {
		fmt.Fprintf(out, "%d. %s\n", l.number, l.name)
	}
	fmt.Fprintln(out)
	var head []string
	for _, l := range r.lines {
		head = append(head, fmt.Sprint(l.number))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if markdown {
		fmt.Fprintf(out, "| library | %s |\n|---|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	} else {
		fmt.Fprintf(w, "library\t%s\n", strings.Join(head, "\t"))
	}
	for _, library := range r.libraries {
		var cells []string
		for _, l := range r.lines {
			cells = append(cells, r.verdict(library, l))
		}
		name := strings.TrimSpace(library.Name + " " + library.Version())
		if markdown {
			fmt.Fprintf(out, "| %s | %s |\n", name, strings.Join(cells, " | "))
		} else {
			fmt.Fprintf(w, "%s\t%s\n", name, strings.Join(cells, "\t"))
		}
	}
	_ = w.Flush()
	fmt.Fprintf(out, "\nRight in all %d: %s.\n", len(r.lines), strings.Join(r.flawless(), ", "))
	r.explain(out, markdown)
}

// flawless are the libraries that were right everywhere.
func (r *results) flawless() (names []string) {
	for _, library := range r.libraries {
		if r.wrong(library) == 0 && slices.ContainsFunc(r.engines, library.On) {
			names = append(names, library.Name)
		}
	}
	return names
}

// explain prints the reasons, those that are the same together.
func (r *results) explain(out io.Writer, markdown bool) {
	for _, library := range r.libraries {
		if r.wrong(library) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s\n", library.Name)
		if markdown {
			fmt.Fprintln(out)
		}
		for _, l := range r.lines {
			var texts []string
			where := map[string][]string{}
			for _, why := range r.reasons {
				if why.library != library.Name || why.line != l.number {
					continue
				}
				if where[why.text] == nil {
					texts = append(texts, why.text)
				}
				where[why.text] = append(where[why.text], why.program+" ("+string(why.engine)+")")
			}
			for _, text := range texts {
				fmt.Fprintf(out, "  - %d. %s: %s\n", l.number, strings.Join(where[text], "; "), text)
			}
		}
	}
}
