package query

import (
	"math"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// Window is the rows that a function looks at beside each row: those with the same
// values of the partition, in an order. The zero value is all rows of the query, in
// none.
//
//	query.RowNumber().Over(query.Partition(query.F("room_id")).OrderBy("-created_at"))
//	query.Sum(query.F("amount")).Over(query.Partition().OrderBy("day").Rows(-6, 0))
type Window struct {
	partition []ast.Node
	order     []ast.Order
	frame     *ast.Frame
}

// Partition is the rows that have the same values.
func Partition(by ...Operand) Window {
	w := Window{}
	for _, o := range by {
		w.partition = append(w.partition, nodeOf(o))
	}
	return w
}

// OrderBy orders the rows of the window, "-created_at" for descending. With an order,
// an aggregate is of the rows up to this one and those equal to it, unless a frame
// says otherwise.
func (w Window) OrderBy(names ...string) Window {
	orders := make([]Order, len(names))
	for i, name := range names {
		orders[i] = OrderBy(name)
	}
	return w.OrderByExpr(orders...)
}

// OrderByExpr is OrderBy for expressions.
func (w Window) OrderByExpr(orders ...Order) Window {
	w.order = orderNodes(orders)
	return w
}

// Unbounded, as an end of a frame, is the first row of the window, or the last.
const Unbounded = math.MinInt

// Rows is a frame of rows, counted from this one: Rows(-2, 0) is this row and the two
// before it, Rows(Unbounded, 0) all up to it, Rows(0, Unbounded) it and all behind.
func (w Window) Rows(from, to int) Window { return w.framed(ast.Rows, from, to) }

// Range is a frame of values: Range(Unbounded, 0) is all rows up to this one and
// those equal to it in the order. Its ends are 0 and Unbounded; others are
// dialect.ErrUnsupported.
func (w Window) Range(from, to int) Window { return w.framed(ast.Range, from, to) }

// Groups is a frame of groups of rows that are equal in the order, counted from that
// of this row. MySQL and MariaDB have none: dialect.ErrUnsupported.
func (w Window) Groups(from, to int) Window { return w.framed(ast.Groups, from, to) }

func (w Window) framed(unit ast.FrameUnit, from, to int) Window {
	f := ast.Frame{Unit: unit, From: int64(from), To: int64(to)}
	if from == Unbounded {
		f.From = ast.First
	}
	if to == Unbounded {
		f.To = ast.Last
	}
	w.frame = &f
	return w
}

// Over computes an aggregate, or a function such as [RowNumber], over the rows of w
// for each row. It stands in what a query puts out, and in its OrderBy (rule S36).
func (e Expr) Over(w Window) Expr {
	return Expr{ast.Over{Of: e.node, Partition: w.partition, Order: w.order, Frame: w.frame}}
}

// RowNumber counts the rows of a window from 1, as it is ordered. Of rows that are
// equal in the order either comes first.
func RowNumber() Expr { return windowed(ast.RowNumber, nil, 0) }

// Rank is one more than the rows before this one, the same for equal rows: 1, 1, 3.
func Rank() Expr { return windowed(ast.Rank, nil, 0) }

// DenseRank is Rank without gaps: 1, 1, 2.
func DenseRank() Expr { return windowed(ast.DenseRank, nil, 0) }

// Ntile deals the rows of a window out to n parts of the same size, as far as that
// goes, and is the number of the part, from 1.
func Ntile(n int) Expr { return windowed(ast.Ntile, nil, n) }

// Lag is the value of e n rows before this one, NULL if there is no such row.
func Lag(e Operand, n int) Expr { return windowed(ast.Lag, e, n) }

// Lead is the value of e n rows behind this one, NULL if there is no such row.
func Lead(e Operand, n int) Expr { return windowed(ast.Lead, e, n) }

// FirstValue is the value of e in the first row of the frame.
func FirstValue(e Operand) Expr { return windowed(ast.FirstValue, e, 0) }

// LastValue is the value of e in the last row of the frame, which without a frame of
// its own ends with this row and those equal to it.
func LastValue(e Operand) Expr { return windowed(ast.LastValue, e, 0) }

func windowed(f ast.WindowFunc, of Operand, n int) Expr {
	w := ast.Windowed{Func: f, N: int64(n)}
	if of != nil || f >= ast.Lag {
		w.Of = nodeOf(of)
	}
	return Expr{w}
}
