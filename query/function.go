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

// Count is the number of rows; with an operand, of those in which it is not
// NULL. Count, CountDistinct, Sum, Min, Max and Avg can only be computed over a
// whole set of rows, with orm.Aggregate.
func Count(of ...Operand) Expr {
	if len(of) == 0 {
		return Expr{ast.Aggregate{Func: ast.Count}}
	}
	return aggregate(ast.Count, of[0])
}

// CountDistinct is the number of different values that are not NULL.
func CountDistinct(of Operand) Expr {
	return Expr{ast.Aggregate{Func: ast.Count, Distinct: true, Of: nodeOf(of)}}
}

// Sum is the sum over the rows, NULL without any.
func Sum(of Operand) Expr { return aggregate(ast.Sum, of) }

// Min is the least value, NULL without any.
func Min(of Operand) Expr { return aggregate(ast.Min, of) }

// Max is the greatest value, NULL without any.
func Max(of Operand) Expr { return aggregate(ast.Max, of) }

// Avg is the mean as a floating-point number, NULL without any rows.
func Avg(of Operand) Expr { return aggregate(ast.Avg, of) }

func aggregate(f ast.AggregateFunc, of Operand) Expr {
	return Expr{ast.Aggregate{Func: f, Of: nodeOf(of)}}
}

func call(f ast.Func, args ...Operand) Expr {
	nodes := make([]ast.Node, len(args))
	for i, arg := range args {
		nodes[i] = nodeOf(arg)
	}
	return Expr{ast.Call{Func: f, Args: nodes}}
}
