package query

import (
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
)

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

// Cast is e as a value of the kind that the Go type V is kept in (rule S55):
//
//	query.Cast[int64](query.Round(query.F("price"), 0))
//	query.Concat("no. ", query.Cast[string](query.F("id")))
//
// An int64 is a number without what is behind the point, and NULL where it has more
// than 64 bits; a float64 is any number. A string is made of whole and of decimal
// numbers and of days, 2006-01-02; floating-point numbers and times each engine
// writes in its own way. A time.Time is the beginning of a day in UTC, and a
// models.Date the day of a time in UTC. What [Raw] yields has to be of the kind: it
// is there that Cast tells what it is. All else is a *ValueError.
func Cast[V any](e Operand) Expr {
	return Expr{ast.Cast{Of: nodeOf(e), To: reflect.TypeFor[V]()}}
}
