package render

import (
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

var ops = [...]string{ast.Eq: " = ", ast.Ne: " <> ", ast.Lt: " < ", ast.Le: " <= ", ast.Gt: " > ", ast.Ge: " >= "}

// mirrored are the operators with their sides exchanged.
var mirrored = [...]ast.Op{ast.Eq: ast.Eq, ast.Ne: ast.Ne, ast.Lt: ast.Gt, ast.Le: ast.Ge, ast.Gt: ast.Lt, ast.Ge: ast.Le}

// besideValue puts a bound value on the right, where the other side tells what
// it is: Value(5).Lt(F("n")) is F("n").Gt(5).
func besideValue(n ast.Comparison) ast.Comparison {
	if right, ok := n.Right.(ast.Value); ok {
		n.Right = right.V
		return n
	}
	left, isValue := n.Left.(ast.Value)
	if right, isNode := n.Right.(ast.Node); isValue && isNode {
		return ast.Comparison{Left: right, Op: mirrored[n.Op], Right: left.V}
	}
	return n
}

func (w *writer) comparison(n ast.Comparison) kind {
	n = besideValue(n)
	outer, start, args := w.nullable, len(w.buf), len(w.args)
	w.nullable = false
	k := w.node(n.Left)
	if right, ok := n.Right.(ast.Node); ok {
		w.columns(n.Op, k, right, start, args)
	} else {
		bound := w.prepare(k, n.Right)
		if bound == nil {
			w.null(n.Op)
			w.nullable = outer
			return condition
		}
		op, bound, known := k.number(n.Op, bound)
		if known == open {
			known = w.foreign(op, k, bound)
		}
		if known != open {
			w.settled(op, known, start, args)
			w.nullable = outer
			return condition
		}
		if k.Kind == column.Decimal {
			op, bound = k.cut(op, bound)
		}
		n.Op = op
		w.ordered(op, k)
		if k.Kind == column.JSON {
			w.documents(op, start, args, func() { w.bind(bound) }, false)
		} else {
			w.beside(op, k, bound, start)
		}
	}
	if n.Op == ast.Ne && w.nullable { // unknown counts as different
		w.insert(start, "(")
		w.string(") IS NOT FALSE")
		w.nullable = false
	}
	w.nullable = w.nullable || outer
	return condition
}

// beside writes an operator and a bound value behind what was written since start.
func (w *writer) beside(op ast.Op, k kind, bound any, start int) {
	ordered := op != ast.Eq && op != ast.Ne
	if ordered {
		w.inOrderOf(k, start)
	}
	w.string(ops[op])
	at := len(w.buf)
	w.bound(k, bound)
	if ordered {
		w.inOrderOf(k, at)
	}
}

// columns writes an operator between two nodes.
func (w *writer) columns(op ast.Op, k kind, right ast.Node, start, args int) {
	if k.Kind == column.JSON {
		if r := w.tried(right); w.err == nil && !k.beside(r) {
			w.fail(k.mismatch(r))
		}
		w.ordered(op, k)
		w.documents(op, start, args, func() { w.node(right) }, true)
		return
	}
	w.string(ops[op])
	at := len(w.buf)
	defer w.besideTexts(k)()
	r := w.node(right)
	if w.err == nil && !k.beside(r) {
		w.fail(k.mismatch(r))
	}
	w.ordered(op, k)
	w.ordered(op, r)
	w.decimalColumns(op, k, r)
	switch operator := ops[op]; {
	case w.apartFrom(r, k):
		w.asText(r, at)
	case w.apartFrom(k, r):
		end := at - len(operator)
		rest := string(w.buf[end:])
		w.buf = w.buf[:end]
		w.asText(k, start)
		w.string(rest)
	}
	// An integer beside a floating-point number is made one on every engine, and
	// by the same rule: SQLite alone would compare them exactly.
	switch {
	case k.Kind == column.Float && r.Kind == column.Integer:
		w.floatFrom(at)
	case k.Kind == column.Integer && r.Kind == column.Float:
		operator := string(w.buf[at-len(ops[op]):])
		w.buf = w.buf[:at-len(ops[op])]
		w.floatFrom(start)
		w.string(operator)
	}
}

// floatFrom makes a floating-point number of what was written since at.
func (w *writer) floatFrom(at int) {
	w.insert(at, w.toFloat)
	w.string(w.toFloatEnd)
}

// settled writes the outcome of a comparison that needs no look at the value, in
// place of its left-hand side, which begins at start.
func (w *writer) settled(op ast.Op, known verdict, start, args int) {
	switch {
	case known == holds && op != ast.Ne:
		w.string(" IS NOT NULL")
		return
	case known == holds:
		w.buf = append(w.buf[:start], always...)
	default:
		w.buf = append(w.buf[:start], never...)
	}
	w.args = w.args[:args]
}

// ordered refuses to order what has no order, or another one on each engine.
func (w *writer) ordered(op ast.Op, k kind) {
	if op == ast.Eq || op == ast.Ne || w.err != nil {
		return
	}
	if k.Kind != column.JSON && k.Kind != column.Array {
		return
	}
	err := &query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + k.Kind.String() + " has no order"}
	if k.field != nil {
		err.Type = k.field.StructField.Type.String()
	}
	if k.Kind == column.JSON {
		err.Reason += `: name what a path in it leads to, such as JSON("key").Text()`
	}
	w.fail(err)
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
	if k.Kind == column.JSON && len(n.Values) > 0 {
		w.buf, w.args, w.nullable = w.buf[:start], w.args[:args], outer
		return w.amongDocuments(n)
	}
	if listed, others := w.apart(k, n.Values); len(others) > 0 {
		w.buf, w.args, w.nullable = w.buf[:start], w.args[:args], outer
		return w.amongOthers(n, listed, others)
	}
	null, done := w.long(k, n)
	if !done {
		var listed int
		if listed, null = w.list(k, n); listed == 0 { // the left-hand side was only checked
			w.buf, w.args, w.nullable = w.buf[:start], w.args[:args], outer
			w.unlisted(n, null)
			return condition
		}
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
	return condition
}

// list writes the values one by one, and how many there are besides NULL.
func (w *writer) list(k kind, n ast.Membership) (listed int, null bool) {
	if n.Negate {
		w.string(" NOT IN (")
	} else {
		w.string(" IN (")
	}
	for _, v := range n.Values {
		if value, ok := v.(ast.Value); ok {
			v = value.V
		}
		operand, isOperand := v.(ast.Node)
		var bound any
		if !isOperand {
			if bound = w.prepare(k, v); bound == nil {
				null = true
				continue
			}
			var known verdict
			if _, bound, known = k.number(ast.Eq, bound); known != open || w.foreign(ast.Eq, k, bound) != open {
				continue // the column cannot be equal to it
			}
		}
		if listed > 0 {
			w.string(", ")
		}
		listed++
		if isOperand {
			w.listOperand(k, operand)
		} else {
			w.bound(k, bound)
		}
	}
	w.byte(')')
	return listed, null
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
