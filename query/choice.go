package query

import (
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// CaseExpr is what [Case] returns: the value of the first of its conditions that
// holds, and NULL if none does.
type CaseExpr struct{ Expr }

// Case chooses a value by conditions:
//
//	query.Case().
//		When(query.F("votes").Ge(100), "hot").
//		When(query.F("votes").Ge(10), "warm").
//		Else("cold")
//
// All its values are of one class (rule S10): text beside numbers is refused.
func Case() CaseExpr { return CaseExpr{Expr{ast.Case{}}} }

// When adds a condition, and the value where it holds and none before it did. A
// plain value is bound; nil is NULL.
func (c CaseExpr) When(cond Cond, then any) CaseExpr {
	node, _ := c.node.(ast.Case)
	node.Branches = append(slices.Clip(node.Branches), ast.Branch{If: ast.Conditions(nil, []Cond{cond})[0], Then: operand(then)})
	return CaseExpr{Expr{node}}
}

// Else is the value where no condition holds.
func (c CaseExpr) Else(v any) Expr {
	node, _ := c.node.(ast.Case)
	node.Else = operand(v)
	return Expr{node}
}

// NullIf is e, and NULL where e equals v.
func NullIf(e Operand, v any) Expr {
	of := Expr{nodeOf(e)}
	return Case().When(of.Eq(v), nil).Else(of)
}

// Greatest is the greatest of its arguments, and NULL if one of them is NULL.
func Greatest(first, second any, more ...any) Expr { return extreme(true, first, second, more) }

// Least is the least of its arguments, and NULL if one of them is NULL.
func Least(first, second any, more ...any) Expr { return extreme(false, first, second, more) }

func extreme(greatest bool, first, second any, more []any) Expr {
	return Expr{ast.Extreme{Greatest: greatest, Of: operands(append([]any{first, second}, more...))}}
}
