package query

import "github.com/holdfast-go/holdfast/internal/ast"

// Div is e divided by v. Of whole numbers, and of their sums, it is the whole
// quotient without what is behind the point, as in Go: -7 by 2 is -3. Of others it is
// a floating-point number, of decimal numbers too, and so it is where v is a float64:
// 7 by 2.0 is 3.5. Divided by a zero of the database it is NULL; a v that is zero
// itself is a *ValueError.
func (e Expr) Div(v any) Expr {
	return Expr{ast.Arithmetic{Left: e.node, Op: ast.Div, Right: operand(v)}}
}

// Mod is what a division by v leaves, of whole and of decimal numbers. As in Go it
// has the sign of e: -7 by 2 leaves -1. Where v is zero it is as with Div.
func (e Expr) Mod(v any) Expr {
	return Expr{ast.Arithmetic{Left: e.node, Op: ast.Mod, Right: operand(v)}}
}

// Neg is e with the other sign.
func (e Expr) Neg() Expr { return e.Mul(-1) }

// Abs is e without its sign.
func Abs(e Operand) Expr { return Expr{ast.Abs{Of: nodeOf(e)}} }

// Round is e with as many decimal places, 0 to 15. A half is rounded away from
// zero, as by math.Round: 2.5 is 3, -2.5 is -3. A floating-point number stays one;
// [Cast] makes a whole number of it.
func Round(e Operand, places int) Expr { return Expr{ast.Round{Of: nodeOf(e), Places: places}} }
