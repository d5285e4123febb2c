package query

import (
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// Order is one criterion of an ordering.
type Order struct{ node ast.Order }

// Node is for the library's own packages: a seam, without promises.
func (o Order) Node() ast.Order { return o.node }

// Asc orders by e, small values first. NULL comes before all of them, on every
// engine.
func (e Expr) Asc() Order { return Order{ast.Order{By: e.node}} }

// Desc orders by e, large values first and NULL last.
func (e Expr) Desc() Order { return Order{ast.Order{By: e.node, Desc: true}} }

// NullsFirst is o with NULL before all values.
func (o Order) NullsFirst() Order {
	o.node.Nulls = ast.NullsFirst
	return o
}

// NullsLast is o with NULL behind all values.
func (o Order) NullsLast() Order {
	o.node.Nulls = ast.NullsLast
	return o
}

// OrderBy reads a column with an optional sign: "updated_at", "-updated_at",
// "-project.name". The column is checked against the model (rule S2), so the
// text may come from a user.
func OrderBy(name string) Order {
	if rest, desc := strings.CutPrefix(name, "-"); desc {
		return F(rest).Desc()
	}
	return F(strings.TrimPrefix(name, "+")).Asc()
}
