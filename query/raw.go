package query

import (
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// Raw is SQL written by hand, for what this package has no words for. Each ? is
// bound to the next of args, on every engine; ?? stands for one ?. An [Operand]
// among args is rendered in its place, so that names stay checked:
//
//	query.Raw("char_length(?) > ?", query.F("text"), 80)
//
// Raw is a condition and an expression alike. It is put in parentheses. A table
// goes by its own name, a joined one by its path with __ for the dots. The text
// must never hold anything that a user has written.
func Raw(sql string, args ...any) RawExpr {
	return RawExpr{Expr{ast.Raw{SQL: sql, Args: operands(slices.Clone(args))}}}
}

// RawExpr is what [Raw] returns.
type RawExpr struct{ Expr }

// Condition is for the library's own packages: a seam, without promises.
func (e RawExpr) Condition() ast.Node { return e.node }
