package render

import (
	"fmt"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

var ops = [...]string{ast.Eq: " = ", ast.Ne: " <> ", ast.Lt: " < ", ast.Le: " <= ", ast.Gt: " > ", ast.Ge: " >= "}

func (w *writer) comparison(n ast.Comparison) kind {
	outer, start := w.nullable, len(w.buf)
	w.nullable = false
	k := w.node(n.Left)
	if right, ok := n.Right.(ast.Node); ok {
		w.string(ops[n.Op])
		if r := w.node(right); w.err == nil && !k.fits(r.class) {
			w.fail(fmt.Errorf("%s cannot be compared with %s", k.class, r.class))
		}
	} else {
		bound := w.prepare(k, n.Right)
		if bound == nil {
			w.null(n.Op)
			w.nullable = outer
			return kind{class: boolean}
		}
		w.string(ops[n.Op])
		w.right(k, n.Right, bound)
	}
	if n.Op == ast.Ne && w.nullable { // unknown counts as different
		w.insert(start, "(")
		w.string(") IS NOT FALSE")
		w.nullable = false
	}
	w.nullable = w.nullable || outer
	return kind{class: boolean}
}

// null writes what an operator means with nil.
func (w *writer) null(op ast.Op) {
	switch op {
	case ast.Eq:
		w.string(" IS NULL")
	case ast.Ne:
		w.string(" IS NOT NULL")
	default:
		if w.err == nil {
			w.fail(&query.ValueError{Type: "nil", Reason: "has no place in an order:" + ops[op] + "needs a value"})
		}
	}
}

func (w *writer) membership(n ast.Membership) kind {
	outer, start, args := w.nullable, len(w.buf), len(w.args)
	w.nullable = false
	k := w.node(n.Left)
	if n.Negate {
		w.string(" NOT IN (")
	} else {
		w.string(" IN (")
	}
	listed, null := 0, false
	for _, v := range n.Values {
		operand, isOperand := v.(ast.Node)
		var bound any
		if !isOperand {
			if bound = w.prepare(k, v); bound == nil {
				null = true
				continue
			}
		}
		if listed > 0 {
			w.string(", ")
		}
		listed++
		if isOperand {
			w.node(operand)
		} else {
			w.right(k, v, bound)
		}
	}
	w.byte(')')

	if listed == 0 { // the left-hand side was only checked
		w.buf, w.args, w.nullable = w.buf[:start], w.args[:args], outer
		w.unlisted(n, null)
		return kind{class: boolean}
	}
	if n.Negate && w.nullable { // unknown counts as different
		w.insert(start, "(")
		w.string(") IS NOT FALSE")
		w.nullable = false
	}
	if null {
		op := opOr
		if n.Negate {
			op = opAnd
		}
		w.insert(start, "(")
		w.string(op)
		w.unlisted(n, true)
		w.byte(')')
	}
	w.nullable = w.nullable || outer
	return kind{class: boolean}
}

// unlisted writes the condition for a list without values.
func (w *writer) unlisted(n ast.Membership, null bool) {
	switch {
	case null && n.Negate:
		w.comparison(ast.Comparison{Left: n.Left, Op: ast.Ne})
	case null:
		w.comparison(ast.Comparison{Left: n.Left, Op: ast.Eq})
	case n.Negate:
		w.string(always)
	default:
		w.string(never)
	}
}
