package query

import "strings"

// Order is one criterion of an ordering.
type Order struct {
	by   node
	desc bool
}

// Asc orders by e, small values first. NULL comes before all of them, on every
// engine.
func (e Expr) Asc() Order { return Order{e.node, false} }

// Desc orders by e, large values first and NULL last.
func (e Expr) Desc() Order { return Order{e.node, true} }

// OrderBy reads a column with an optional sign: "updated_at", "-updated_at",
// "-project.name". The column is checked against the model (rule S2), so the
// text may come from a user.
func OrderBy(name string) Order {
	if rest, desc := strings.CutPrefix(name, "-"); desc {
		return F(rest).Desc()
	}
	return F(strings.TrimPrefix(name, "+")).Asc()
}

func (w *writer) orderBy(orders []Order) {
	for i, o := range orders {
		if i == 0 {
			w.string(" ORDER BY ")
		} else {
			w.string(", ")
		}
		w.nullable = false
		w.writeNode(o.by)
		if o.desc {
			w.string(" DESC")
		} else {
			w.string(" ASC")
		}
		// Written only where a NULL can be: an index serves the other order.
		switch {
		case w.nullsLow || !w.nullable:
		case o.desc:
			w.string(" NULLS LAST")
		default:
			w.string(" NULLS FIRST")
		}
	}
}
