package query

import "github.com/holdfast-go/holdfast/internal/ast"

// Cond is a condition on a row: what Filter and Exclude take. It holds or it
// does not, also where NULL is in play (see the package comment).
type Cond interface {
	// Condition is for the library's own packages: a seam, without promises.
	Condition() ast.Node
}

// And holds where all of conds do. Without any, it always holds.
func And(conds ...Cond) Cond { return cond{ast.And{Of: ast.Conditions(nil, conds)}} }

// Or holds where at least one of conds does. Without any, it never holds.
func Or(conds ...Cond) Cond { return cond{ast.Or{Of: ast.Conditions(nil, conds)}} }

// Not holds exactly where c does not: unlike SQL's NOT, also where c is unknown
// because of a NULL.
func Not(c Cond) Cond {
	if c == nil {
		return cond{ast.Not{}}
	}
	return cond{ast.Not{Of: c.Condition()}}
}

// cond is every condition but Raw's.
type cond struct{ node ast.Node }

// Condition implements Cond.
func (c cond) Condition() ast.Node { return c.node }
