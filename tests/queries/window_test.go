package queries

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/query"
)

// windows is a window as it is drawn.
type windows struct {
	query.Window
	partition, keys []expr
	by              []criterion
	unit            string // of the frame; "" for none
	from, to        int
	text            string
}

// window draws a function over a window.
func (g *gen) window(s *scope, k kind, depth int) expr {
	f := choose(g, map[kind][]string{whole: {"RowNumber", "Rank", "DenseRank", "Ntile", "Lag", "Lead", "FirstValue", "LastValue", "aggregate", "aggregate"},
		text: {"Lag", "Lead", "FirstValue", "LastValue", "aggregate"}, floating: {"Lag", "aggregate"}}[k])
	var w windows
	own := *s
	own.outer = nil // no window goes by what is around
	for range g.n(3) {
		w.partition = append(w.partition, g.expr(&own, choose(g, []kind{whole, text, truth}), depth-1))
	}
	framed := (f == "FirstValue" || f == "LastValue" || f == "aggregate") && g.maybe(2)
	if framed {
		units := []string{"Rows", "Range"}
		if g.groups {
			units = append(units, "Groups")
		}
		w.unit = choose(g, units)
		w.from, w.to = -g.n(3), g.n(3)
		if w.unit == "Range" {
			w.from, w.to = 0, 0
		}
		if g.maybe(3) || w.unit == "Range" && g.whole {
			w.from = query.Unbounded
		}
		if g.maybe(3) || w.unit == "Range" && w.from == 0 {
			w.to = -query.Unbounded - 1
		}
	}
	if f != "aggregate" || w.unit == "Rows" || w.unit == "Groups" || g.maybe(2) {
		for range 1 + g.n(2) {
			w.keys = append(w.keys, g.expr(&own, choose(g, []kind{whole, text}), depth-1))
		}
		if f != "Rank" && f != "DenseRank" && (f != "aggregate" || w.unit == "Rows") {
			for _, c := range s.over {
				w.keys = append(w.keys, c.expr())
			}
		}
	}
	g.build(&w)
	if f == "aggregate" {
		fn := g.overWindow(s, k, depth)
		return expr{fn.Over(w.Window), k, func(e *env) value { return fn.over(w.frame(e)) }, fn.text + w.text}
	}
	n, of := g.n(3), expr{}
	var q query.Expr
	switch f {
	case "RowNumber":
		q = query.RowNumber()
	case "Rank":
		q = query.Rank()
	case "DenseRank":
		q = query.DenseRank()
	case "Ntile":
		n++
		q = query.Ntile(n)
	default:
		of = g.expr(s, k, depth-1)
		q = map[string]func() query.Expr{"Lag": func() query.Expr { return query.Lag(of, n) }, "Lead": func() query.Expr { return query.Lead(of, n) },
			"FirstValue": func() query.Expr { return query.FirstValue(of) }, "LastValue": func() query.Expr { return query.LastValue(of) }}[f]()
	}
	return expr{q.Over(w.Window), k, func(e *env) value { return w.ranked(f, n, of.eval, e) }, fmt.Sprintf("%s(%s %d)%s", f, of.text, n, w.text)}
}

// overWindow is an aggregate that a window takes: no server has one of different
// values, or of texts in an order.
func (g *gen) overWindow(s *scope, k kind, depth int) function {
	for {
		if f := g.function(s, k, depth); !strings.HasPrefix(f.text, "StringAgg") && !strings.Contains(f.text, "Distinct()") {
			return f
		}
	}
}

func (g *gen) build(w *windows) {
	var by []query.Operand
	var said []string
	for _, e := range w.partition {
		by, said = append(by, e), append(said, e.text)
	}
	w.Window, w.text = query.Partition(by...), ".Over(Partition("+strings.Join(said, ", ")+")"
	var orders []query.Order
	for _, e := range w.keys {
		o, c, said := g.criterion(e)
		orders, w.by, w.text = append(orders, o), append(w.by, c), w.text+".OrderBy("+said+")"
	}
	w.Window = w.OrderByExpr(orders...)
	to := w.to
	if to == -query.Unbounded-1 {
		to = query.Unbounded
	}
	switch w.unit {
	case "Rows":
		w.Window = w.Rows(w.from, to)
	case "Range":
		w.Window = w.Range(w.from, to)
	case "Groups":
		w.Window = w.Groups(w.from, to)
	}
	if w.unit != "" {
		w.text += fmt.Sprintf(".%s(%d, %d)", w.unit, w.from, w.to)
	}
	w.text += ")"
}

func valuesOf(list []expr, e *env) []value {
	got := make([]value, len(list))
	for i, x := range list {
		got[i] = x.eval(e)
	}
	return got
}

// rows is the rows of e's partition, where e is among them, and for each the number
// of the group of equal ones.
func (w *windows) rows(e *env) (rows []*env, at int, peers []int) {
	mine := spelled(valuesOf(w.partition, e))
	for _, other := range e.all {
		if spelled(valuesOf(w.partition, other)) == mine {
			rows = append(rows, other)
		}
	}
	rows = ordered(rows, func(e *env) []value { return valuesOf(w.keys, e) }, w.by)
	peers = make([]int, len(rows))
	for i := 1; i < len(rows); i++ {
		peers[i] = peers[i-1]
		if compareBy(w.by, valuesOf(w.keys, rows[i-1]), valuesOf(w.keys, rows[i])) != 0 {
			peers[i]++
		}
	}
	return rows, slices.Index(rows, e), peers
}

// frame is the rows that an aggregate looks at from e.
func (w *windows) frame(e *env) []*env {
	rows, at, peers := w.rows(e)
	var list []*env
	for i, r := range rows {
		n := i - at
		switch w.unit {
		case "":
			if peers[i] <= peers[at] {
				list = append(list, r)
			}
			continue
		case "Range", "Groups":
			n = peers[i] - peers[at]
		}
		if n >= w.from && n <= w.to {
			list = append(list, r)
		}
	}
	return list
}

// ranked is what a function over a window says of e.
func (w *windows) ranked(f string, n int, of func(*env) value, e *env) value {
	rows, at, peers := w.rows(e)
	switch f {
	case "RowNumber":
		return int64(at + 1)
	case "Rank":
		return int64(slices.Index(peers, peers[at]) + 1)
	case "DenseRank":
		return int64(peers[at] + 1)
	case "Ntile":
		size, more := len(rows)/n, len(rows)%n
		for part, end := 1, 0; ; part++ {
			if end += size; part <= more {
				end++
			}
			if at < end {
				return int64(part)
			}
		}
	case "Lag":
		if at-n >= 0 {
			return of(rows[at-n])
		}
		return nil
	case "Lead":
		if at+n < len(rows) {
			return of(rows[at+n])
		}
		return nil
	}
	frame := w.frame(e)
	switch {
	case len(frame) == 0:
		return nil
	case f == "FirstValue":
		return of(frame[0])
	}
	return of(frame[len(frame)-1])
}
