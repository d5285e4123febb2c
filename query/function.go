package query

import "errors"

// Now is the time at which the statement runs, by the server's clock, in UTC.
// It is the same for the whole statement. SQLite gives milliseconds, the others
// microseconds.
func Now() Expr { return Expr{now{}} }

// Lower is e in lower case. SQLite folds only ASCII letters.
func Lower(e Operand) Expr { return call("LOWER", e) }

// Upper is e in upper case. SQLite folds only ASCII letters.
func Upper(e Operand) Expr { return call("UPPER", e) }

// Coalesce is the first of its arguments that is not NULL. Plain values are
// given with [Value].
func Coalesce(first Operand, more ...Operand) Expr {
	return call("COALESCE", append([]Operand{first}, more...)...)
}

// Count is the number of rows; with an operand, of those in which it is not
// NULL. Count, CountDistinct, Sum, Min, Max and Avg can only be computed over a
// whole set of rows, with orm.Aggregate.
func Count(of ...Operand) Expr {
	if len(of) == 0 {
		return Expr{aggregate{"COUNT(", nil, ")", integer}}
	}
	return Expr{aggregate{"COUNT(", nodeOf(of[0]), ")", integer}}
}

// CountDistinct is the number of different values that are not NULL.
func CountDistinct(of Operand) Expr {
	return Expr{aggregate{"COUNT(DISTINCT ", nodeOf(of), ")", integer}}
}

// Sum is the sum over the rows, NULL without any.
func Sum(of Operand) Expr { return Expr{aggregate{"SUM(", nodeOf(of), ")", anything}} }

// Min is the least value, NULL without any.
func Min(of Operand) Expr { return Expr{aggregate{"MIN(", nodeOf(of), ")", anything}} }

// Max is the greatest value, NULL without any.
func Max(of Operand) Expr { return Expr{aggregate{"MAX(", nodeOf(of), ")", anything}} }

// Avg is the mean as a floating-point number, NULL without any rows.
func Avg(of Operand) Expr { return Expr{average{nodeOf(of)}} }

type now struct{}

func (now) write(w *writer) kind {
	w.string(w.now)
	return kind{class: instant}
}

type function struct {
	name string
	args []Operand
}

func call(name string, args ...Operand) Expr { return Expr{function{name, args}} }

func (n function) write(w *writer) kind {
	w.string(n.name)
	w.byte('(')
	var first kind
	for i, arg := range n.args {
		if i > 0 {
			w.string(", ")
		}
		if k := w.writeNode(nodeOf(arg)); i == 0 {
			first = kind{class: k.class}
		}
	}
	w.byte(')')
	return first
}

var errAggregate = errors.New("an aggregate function is computed over a whole set of rows: use orm.Aggregate")

type aggregate struct {
	open  string
	of    node // nil: *
	close string
	class class
}

func (n aggregate) write(w *writer) kind {
	if !w.aggregates {
		w.fail(errAggregate)
	}
	w.aggregated = true
	w.string(n.open)
	if n.of == nil {
		w.byte('*')
	} else {
		w.writeNode(n.of)
	}
	w.string(n.close)
	w.nullable = true
	return kind{class: n.class}
}

type average struct{ of node }

func (n average) write(w *writer) kind {
	aggregate{w.avg, n.of, w.avgEnd, float}.write(w)
	return kind{class: float}
}
