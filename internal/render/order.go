package render

import "github.com/holdfast-go/holdfast/internal/ast"

func (w *writer) orderBy(orders []ast.Order) {
	if len(orders) == 0 {
		return
	}
	sc := w.scope
	before := sc.clause
	sc.naming, sc.windows = true, true
	if sc.outputs != nil {
		sc.aggregates, sc.watch = true, true
	}
	w.ordering(" ORDER BY ", orders)
	sc.naming, sc.windows, sc.aggregates, sc.watch = before.naming, before.windows, before.aggregates, before.watch
}

// ordering writes criteria behind what begins them.
func (w *writer) ordering(begin string, orders []ast.Order) {
	for i, o := range orders {
		if i == 0 {
			w.string(begin)
		} else {
			w.string(", ")
		}
		w.nullable = false
		at := len(w.buf)
		w.inOrderOf(w.criterion(o.By), at)
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

// criterion writes what is ordered by: of what is put out, the name.
func (w *writer) criterion(n ast.Node) kind {
	o := w.scope.output(n)
	if o == nil {
		return w.node(n)
	}
	if _, both := o.of.(ast.Missing); both {
		return w.again(o)
	}
	w.nullable = o.nullable
	w.string(w.scope.quoted(o.name))
	return o.kind
}
