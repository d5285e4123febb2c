package render

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
)

// over writes a function over a window.
func (w *writer) over(n ast.Over) kind {
	w.overRows++
	before := w.nullable
	w.nullable = false
	sc := w.scope
	if !sc.windows || sc.inside > 0 {
		w.fail(errWindow)
	}
	if err := w.server.Require(dialect.Window); err != nil {
		w.fail(err)
	}
	sc.windows, sc.windowed, sc.hasWindow = false, true, true // none within another
	defer func() { sc.windows = true }()
	var k kind
	var nullable bool
	at := len(w.buf)
	switch of := n.Of.(type) {
	case ast.Windowed:
		k, nullable = w.windowed(of, n)
	case ast.Aggregate:
		if of.Func == ast.StringAgg {
			w.fail(errors.New("StringAgg has no Over: no engine orders its texts within a window"))
		}
		k, nullable = w.overWindow(of), of.Func != ast.Count
	default:
		w.fail(errors.New("what is computed Over a window is an aggregate or a function over a window, such as query.RowNumber"))
		return kind{}
	}
	end := ""
	if w.avgEnd != ")" && isAvg(n.Of) { // the window belongs to what is within
		end = w.avgEnd[1:]
		w.buf = w.buf[:len(w.buf)-len(end)]
	}
	w.string(" OVER (")
	around := sc.foundAround()
	for i, p := range n.Partition {
		if i == 0 {
			w.string("PARTITION BY ")
		} else {
			w.string(", ")
		}
		w.sameness("partitioned by", w.unnumbered(p))
	}
	if len(n.Order) > 0 {
		begin := "ORDER BY "
		if len(n.Partition) > 0 {
			begin = " " + begin
		}
		w.ordering(begin, n.Order, false)
	}
	if sc.foundAround() > around { // MySQL 9 has none
		w.fail(&dialect.UnsupportedError{Server: w.server, Feature: "a window that is partitioned or ordered by what query.Outer names",
			Hint: "that is the same in all rows of the sub-select: leave it out, or order by columns of its own"})
	}
	if n.Frame != nil {
		w.frame(n.Frame, len(n.Order))
	}
	w.string(")" + end)
	if w.server.Engine == dialect.MySQL && numbersRows(n.Of) { // without a sign there: what is below 0 is error 1690
		w.insert(at, "CAST(")
		w.string(" AS SIGNED)")
	}
	w.nullable = before || nullable
	return k
}

func numbersRows(n ast.Node) bool {
	f, ok := n.(ast.Windowed)
	if !ok {
		return false
	}
	switch f.Func {
	case ast.RowNumber, ast.Rank, ast.DenseRank, ast.Ntile:
		return true
	}
	return false
}

func isAvg(n ast.Node) bool {
	a, ok := n.(ast.Aggregate)
	return ok && a.Func == ast.Avg
}

// overWindow writes an aggregate that does not put rows together.
func (w *writer) overWindow(n ast.Aggregate) kind {
	if n.Distinct {
		w.fail(errors.New("over a window no server counts different values"))
	}
	w.scope.overWindow = true
	return w.aggregate(n)
}

func (w *writer) windowed(n ast.Windowed, over ast.Over) (kind, bool) {
	w.string(n.Func.String() + "(")
	k := wholeNumber
	nullable := false
	switch n.Func {
	case ast.Ntile:
		if n.N < 1 {
			w.fail(fmt.Errorf("Ntile(%d) needs one part at least", n.N))
		}
		w.number(n.N)
	case ast.Lag, ast.Lead, ast.FirstValue, ast.LastValue:
		k = w.node(n.Of)
		nullable = w.nullable
		if n.Func == ast.Lag || n.Func == ast.Lead {
			if nullable = true; n.N < 0 {
				w.fail(fmt.Errorf("%s by %d rows: it counts in one direction", n.Func, n.N))
			}
			w.string(", ")
			w.number(n.N)
		} else if over.Frame != nil {
			nullable = true // the frame may be empty
		}
	}
	w.byte(')')
	if len(over.Order) == 0 && w.err == nil {
		w.fail(fmt.Errorf("%s needs an order: without one the server numbers rows as it finds them", n.Func))
	}
	return k, nullable
}

// number writes a number that is part of the statement's shape, where not every
// server takes a bound value.
func (w *writer) number(n int64) { w.string(strconv.FormatInt(n, 10)) }

func (w *writer) frame(f *ast.Frame, orders int) {
	if f.From > f.To {
		w.fail(fmt.Errorf("a frame from %d to %d ends before it begins", f.From, f.To))
	}
	if f.Unit == ast.Groups {
		if err := w.server.Require(dialect.FrameGroups); err != nil {
			w.fail(err)
		}
		if orders == 0 {
			w.fail(errors.New("a frame of groups needs an order, by which rows are equal"))
		}
	}
	counted := func(n int64) bool { return n != 0 && n != ast.First && n != ast.Last }
	if f.Unit == ast.Range && (counted(f.From) || counted(f.To)) {
		w.fail(&dialect.UnsupportedError{Server: w.server, Feature: "a frame of a range of values",
			Hint: "servers differ in the values that they take: count rows with Rows, or go from one end to the row"})
	}
	unit := f.Unit
	if unit == ast.Range && w.server.Engine == dialect.MariaDB {
		// Before MDEV-19052 it takes a range with one key that is a number only.
		switch {
		case f.To == 0 && f.From == ast.First, orders == 0:
			return // what it does without a frame
		case f.To == ast.Last && f.From == ast.First:
			unit = ast.Rows // all of them
		}
	}
	w.string(" " + unit.String() + " BETWEEN ")
	w.edge(f.From)
	w.string(" AND ")
	w.edge(f.To)
}

func (w *writer) edge(n int64) {
	switch {
	case n == ast.First:
		w.string("UNBOUNDED PRECEDING")
	case n == ast.Last:
		w.string("UNBOUNDED FOLLOWING")
	case n == 0:
		w.string("CURRENT ROW")
	case n < 0:
		w.number(-n)
		w.string(" PRECEDING")
	default:
		w.number(n)
		w.string(" FOLLOWING")
	}
}

// misplaced is a function over a window without one.
func (w *writer) misplaced(n ast.Windowed) kind {
	w.fail(fmt.Errorf("%s is computed over a window: say which with Over", n.Func))
	return kind{}
}
