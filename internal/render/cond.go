package render

import "github.com/holdfast-go/holdfast/internal/ast"

const (
	opAnd  = " AND "
	opOr   = " OR "
	always = "1 = 1"
	never  = "1 = 0"
)

// where writes the conditions that all have to hold.
func (w *writer) where(conds []ast.Node) {
	for i, c := range conds {
		if i == 0 {
			w.string(" WHERE ")
		} else {
			w.string(opAnd)
		}
		w.cond(c)
	}
}

func (w *writer) cond(n ast.Node) {
	if n == nil {
		w.fail(errNilCond)
		return
	}
	textual := w.textual
	w.textual = false
	w.node(n)
	w.textual = textual
}

func (w *writer) junction(conds []ast.Node, op, empty string) kind {
	if len(conds) == 0 {
		w.string(empty)
		return condition
	}
	w.byte('(')
	for i, c := range conds {
		if i > 0 {
			w.string(op)
		}
		w.cond(c)
	}
	w.byte(')')
	return condition
}

func (w *writer) negation(n ast.Not) kind {
	outer, start := w.nullable, len(w.buf)
	w.nullable = false
	w.byte('(')
	w.cond(n.Of)
	w.byte(')')
	if w.nullable {
		w.string(" IS NOT TRUE")
	} else {
		w.insert(start, "NOT ")
	}
	w.nullable = outer
	return condition
}
