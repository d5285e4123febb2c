package query

import "github.com/holdfast-go/holdfast/internal/ast"

// Operand is an [Expr] or a typed column: what can stand on either side of a
// comparison, and in the arguments of a function.
type Operand interface {
	// Node is for the library's own packages: a seam, without promises.
	Node() ast.Node
}

// Expr is something that the server computes for each row: a column, a bound
// value, arithmetic, a function. Where a method takes any, a value is bound,
// and an Operand is rendered.
type Expr struct{ node ast.Node }

// F is the column with this name. A dot leads over a relation, named in lower
// case like its struct field: "project.name". An unknown name is a *FieldError
// when the statement is rendered.
func F(path string) Expr { return Expr{ast.Column{Path: path}} }

// Value is a bound value where an expression is needed, as in
// Coalesce(F("path"), Value("")). Elsewhere a plain Go value does.
func Value(v any) Expr { return Expr{ast.Value{V: v}} }

// Node is for the library's own packages: a seam, without promises.
func (e Expr) Node() ast.Node { return e.node }

// Add is the sum of e and v. Of a whole number and a float64 it is a floating-point
// number, as the difference and the product are, also where v is 1.0. To a time, a time.Duration is added: what is less than
// a microsecond is cut off the sum, as it is of every time, and outside the years 1
// to 9999 it is NULL. [Shift] adds units of the calendar.
func (e Expr) Add(v any) Expr {
	return Expr{ast.Arithmetic{Left: e.node, Op: ast.Add, Right: operand(v)}}
}

// Sub is e without v, which may be a time.Duration as with [Expr.Add].
func (e Expr) Sub(v any) Expr {
	return Expr{ast.Arithmetic{Left: e.node, Op: ast.Sub, Right: operand(v)}}
}

// Mul is the product of e and v.
func (e Expr) Mul(v any) Expr {
	return Expr{ast.Arithmetic{Left: e.node, Op: ast.Mul, Right: operand(v)}}
}

// operand is the node of an Operand or of a Query, and any other v itself.
func operand(v any) any {
	switch v := v.(type) {
	case Operand:
		return nodeOf(v)
	case Query:
		if t := v.Tree(); t != nil {
			return t
		}
		return ast.Missing{}
	}
	return v
}

// operands replaces the Operands and Queries in list, which is the caller's own.
func operands(list []any) []any {
	for i, v := range list {
		list[i] = operand(v)
	}
	return list
}

// nodeOf is never nil, which would mean NULL or nothing at all elsewhere.
func nodeOf(o Operand) ast.Node {
	if o != nil {
		if n := o.Node(); n != nil {
			return n
		}
	}
	return ast.Missing{}
}
