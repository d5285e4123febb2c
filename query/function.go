package query

import "github.com/holdfast-go/holdfast/internal/ast"

// Now is the time at which the statement runs, by the server's clock, in UTC.
// It is the same for the whole statement. SQLite gives milliseconds, the others
// microseconds.
func Now() Expr { return Expr{ast.Now{}} }

// Lower is e in lower case. SQLite folds only ASCII letters.
func Lower(e Operand) Expr { return call(ast.Lower, e) }

// Upper is e in upper case. SQLite folds only ASCII letters.
func Upper(e Operand) Expr { return call(ast.Upper, e) }

// Coalesce is the first of its arguments that is not NULL. Plain values are
// given with [Value].
func Coalesce(first Operand, more ...Operand) Expr {
	return call(ast.Coalesce, append([]Operand{first}, more...)...)
}

func call(f ast.Func, args ...Operand) Expr {
	nodes := make([]ast.Node, len(args))
	for i, arg := range args {
		nodes[i] = nodeOf(arg)
	}
	return Expr{ast.Call{Func: f, Args: nodes}}
}
