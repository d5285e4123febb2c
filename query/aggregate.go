package query

import (
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// AggregateExpr is computed over a set of rows.
type AggregateExpr struct{ Expr }

// Count is the number of rows; with an operand, of those in which it is not
// NULL. Count, CountDistinct, Sum, Min, Max and Avg are computed over all rows of a
// query (orm.Aggregate, orm.Select), over those of each group (GroupBy) or over a
// window (Over).
func Count(of ...Operand) AggregateExpr {
	if len(of) == 0 {
		return AggregateExpr{Expr{ast.Aggregate{Func: ast.Count}}}
	}
	return aggregate(ast.Count, of[0])
}

// CountDistinct is the number of different values that are not NULL.
func CountDistinct(of Operand) AggregateExpr {
	return AggregateExpr{Expr{ast.Aggregate{Func: ast.Count, Distinct: true, Of: nodeOf(of)}}}
}

// Sum is the sum over the rows, NULL without any.
func Sum(of Operand) AggregateExpr { return aggregate(ast.Sum, of) }

// Min is the least value, NULL without any.
func Min(of Operand) AggregateExpr { return aggregate(ast.Min, of) }

// Max is the greatest value, NULL without any.
func Max(of Operand) AggregateExpr { return aggregate(ast.Max, of) }

// Avg is the mean as a floating-point number, NULL without any rows.
func Avg(of Operand) AggregateExpr { return aggregate(ast.Avg, of) }

func aggregate(f ast.AggregateFunc, of Operand) AggregateExpr {
	return AggregateExpr{Expr{ast.Aggregate{Func: f, Of: nodeOf(of)}}}
}

// StringAgg is the texts of the rows that are not NULL, in an order, with separator between
// them; NULL without any. Without orders their order is the server's affair.
func StringAgg(of Operand, separator string, orders ...Order) AggregateExpr {
	node := ast.Aggregate{Func: ast.StringAgg, Of: nodeOf(of), Separator: separator}
	for _, o := range orders {
		node.Order = append(node.Order, o.node)
	}
	return AggregateExpr{Expr{node}}
}

// Where computes e over the rows of the set for which all of conds hold:
//
//	query.Count().Where(query.F("state").Eq("open"))
func (e AggregateExpr) Where(conds ...Cond) AggregateExpr {
	node, made := e.node.(ast.Aggregate)
	if !made { // no function made it
		return e
	}
	node.Where = ast.Conditions(slices.Clip(node.Where), conds)
	return AggregateExpr{Expr{node}}
}

// Distinct computes e over the values that differ, each of them once. [StringAgg]
// cannot.
func (e AggregateExpr) Distinct() AggregateExpr {
	node, made := e.node.(ast.Aggregate)
	if !made { // no function made it
		return e
	}
	node.Distinct = true
	return AggregateExpr{Expr{node}}
}
