package orm

import (
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// Related is the rows of a relation that [QuerySet.Prefetch] reads, to be refined.
// Like a QuerySet it is immutable; its names are those of the related rows' model.
type Related struct {
	spec ast.Select
	err  error
}

// Filter keeps the related rows for which all conditions hold.
func (r Related) Filter(conds ...query.Cond) Related {
	r.spec.Where = ast.Conditions(slices.Clip(r.spec.Where), conds)
	return r
}

// Exclude keeps the related rows for which the conditions do not all hold.
func (r Related) Exclude(conds ...query.Cond) Related {
	r.spec.Where = appended(r.spec.Where, []ast.Node{query.Not(query.And(conds...)).Condition()})
	return r
}

// OrderBy orders the related rows of each row, as [QuerySet.OrderBy] does.
func (r Related) OrderBy(names ...string) Related {
	orders := make([]query.Order, len(names))
	for i, name := range names {
		orders[i] = query.OrderBy(name)
	}
	return r.OrderByExpr(orders...)
}

// OrderByExpr is OrderBy for expressions and typed columns.
func (r Related) OrderByExpr(orders ...query.Order) Related {
	r.spec.Order = make([]ast.Order, len(orders))
	for i, o := range orders {
		r.spec.Order[i] = o.Node()
	}
	return r
}

// Limit keeps at most n related rows of each row: the first by the order, and by the
// primary key where that leaves it open. It takes window functions: a server
// without them is dialect.ErrUnsupported.
func (r Related) Limit(n int) Related {
	limit := int64(n)
	r.spec.Limit = &limit
	if n < 0 {
		r.err = fmt.Errorf("Limit(%d) is negative", n)
	}
	return r
}

// Related reads belongs-to and has-one relations of the related rows in the same
// statement, as [QuerySet.Related] does.
func (r Related) Related(paths ...string) Related {
	r.spec.Related = appended(r.spec.Related, paths)
	return r
}
