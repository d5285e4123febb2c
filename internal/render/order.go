package render

import "github.com/holdfast-go/holdfast/internal/ast"

func (w *writer) orderBy(orders []ast.Order) {
	for i, o := range orders {
		if i == 0 {
			w.string(" ORDER BY ")
		} else {
			w.string(", ")
		}
		w.nullable = false
		at := len(w.buf)
		w.inOrderOf(w.node(o.By), at)
		if o.Desc {
			w.string(" DESC")
		} else {
			w.string(" ASC")
		}
		// Written only where a NULL can be: an index serves the other order.
		switch {
		case w.nullsLow || !w.nullable:
		case o.Desc:
			w.string(" NULLS LAST")
		default:
			w.string(" NULLS FIRST")
		}
	}
}
