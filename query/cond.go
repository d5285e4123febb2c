package query

import "slices"

// Cond is a condition on a row: what Filter and Exclude take. It holds or it
// does not, also where NULL is in play (see the package comment).
type Cond interface {
	condition() node
}

// And holds where all of conds do. Without any, it always holds.
func And(conds ...Cond) Cond { return junction{slices.Clone(conds), opAnd, "1 = 1"} }

// Or holds where at least one of conds does. Without any, it never holds.
func Or(conds ...Cond) Cond { return junction{slices.Clone(conds), opOr, "1 = 0"} }

// Not holds exactly where c does not: unlike SQL's NOT, also where c is unknown
// because of a NULL.
func Not(c Cond) Cond { return negation{c} }

const (
	opAnd = " AND "
	opOr  = " OR "
)

type junction struct {
	conds []Cond
	op    string
	empty string
}

func (n junction) condition() node { return n }

func (n junction) write(w *writer) kind {
	if len(n.conds) == 0 {
		w.string(n.empty)
		return kind{class: boolean}
	}
	w.byte('(')
	for i, c := range n.conds {
		if i > 0 {
			w.string(n.op)
		}
		w.cond(c)
	}
	w.byte(')')
	return kind{class: boolean}
}

type negation struct{ of Cond }

func (n negation) condition() node { return n }

func (n negation) write(w *writer) kind {
	outer, start := w.nullable, len(w.buf)
	w.nullable = false
	w.byte('(')
	w.cond(n.of)
	w.byte(')')
	if w.nullable {
		w.string(" IS NOT TRUE")
	} else {
		w.insert(start, "NOT ")
	}
	w.nullable = outer
	return kind{class: boolean}
}
