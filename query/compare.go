package query

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
)

// Eq holds where e equals v. Eq(nil) holds where e is NULL, as Django's
// exact=None does, and so does Eq of a nil pointer or an invalid sql.Null.
func (e Expr) Eq(v any) Cond { return comparison{e.node, "=", v} }

// Ne holds where Eq does not: for a v that is not nil that includes the rows in
// which e is NULL.
func (e Expr) Ne(v any) Cond { return comparison{e.node, "<>", v} }

// Lt holds where e is less than v.
func (e Expr) Lt(v any) Cond { return comparison{e.node, "<", v} }

// Le holds where e is less than v or equal to it.
func (e Expr) Le(v any) Cond { return comparison{e.node, "<=", v} }

// Gt holds where e is greater than v.
func (e Expr) Gt(v any) Cond { return comparison{e.node, ">", v} }

// Ge holds where e is greater than v or equal to it.
func (e Expr) Ge(v any) Cond { return comparison{e.node, ">=", v} }

// Between holds where e lies between the two, both included.
func (e Expr) Between(low, high any) Cond { return And(e.Ge(low), e.Le(high)) }

// IsNull holds where e is NULL.
func (e Expr) IsNull() Cond { return e.Eq(nil) }

// IsNotNull holds where e is not NULL.
func (e Expr) IsNotNull() Cond { return e.Ne(nil) }

// In holds where e equals one of the values, given one by one or as one slice.
// It never holds for an empty list. A nil among the values stands for NULL.
func (e Expr) In(values ...any) Cond { return membership{e.node, spread(values), false} }

// NotIn holds where In does not.
func (e Expr) NotIn(values ...any) Cond { return membership{e.node, spread(values), true} }

// spread takes a single slice for the list of its elements. The list is the
// condition's own, and the caller may go on with theirs.
func spread(values []any) []any {
	values = slices.Clone(values)
	if len(values) != 1 || values[0] == nil {
		return values
	}
	v := reflect.ValueOf(values[0])
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return values
	}
	if _, speaks := values[0].(driver.Valuer); speaks || v.Type().Elem().Kind() == reflect.Uint8 {
		return values
	}
	list := make([]any, v.Len())
	for i := range list {
		list[i] = v.Index(i).Interface()
	}
	return list
}

type comparison struct {
	left  node
	op    string
	right any
}

func (n comparison) condition() node { return n }

func (n comparison) write(w *writer) kind {
	outer, start := w.nullable, len(w.buf)
	w.nullable = false
	k := w.writeNode(n.left)
	if o, ok := n.right.(Operand); ok {
		w.string(" " + n.op + " ")
		if r := w.writeNode(o.operand()); w.err == nil && !k.fits(r.class) {
			w.fail(fmt.Errorf("%s cannot be compared with %s", k.class, r.class))
		}
	} else {
		bound := w.prepare(k, n.right)
		if bound == nil {
			w.null(n.op)
			w.nullable = outer
			return kind{class: boolean}
		}
		w.string(" " + n.op + " ")
		w.right(k, n.right, bound)
	}
	if n.op == "<>" && w.nullable { // unknown counts as different
		w.insert(start, "(")
		w.string(") IS NOT FALSE")
		w.nullable = false
	}
	w.nullable = w.nullable || outer
	return kind{class: boolean}
}

// null writes what an operator means with nil.
func (w *writer) null(op string) {
	switch op {
	case "=":
		w.string(" IS NULL")
	case "<>":
		w.string(" IS NOT NULL")
	default:
		if w.err == nil {
			w.fail(&ValueError{Type: "nil", Reason: "has no place in an order: " + op + " needs a value"})
		}
	}
}

type membership struct {
	left   node
	values []any
	negate bool
}

func (n membership) condition() node { return n }

func (n membership) write(w *writer) kind {
	outer, start, args := w.nullable, len(w.buf), len(w.args)
	w.nullable = false
	k := w.writeNode(n.left)
	if n.negate {
		w.string(" NOT IN (")
	} else {
		w.string(" IN (")
	}
	listed, null := 0, false
	for _, v := range n.values {
		o, isOperand := v.(Operand)
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
			w.writeNode(o.operand())
		} else {
			w.right(k, v, bound)
		}
	}
	w.byte(')')

	if listed == 0 { // the left-hand side was only checked
		w.buf, w.args, w.nullable = w.buf[:start], w.args[:args], outer
		n.unlisted(w, null)
		return kind{class: boolean}
	}
	if n.negate && w.nullable { // unknown counts as different
		w.insert(start, "(")
		w.string(") IS NOT FALSE")
		w.nullable = false
	}
	if null {
		op := " OR "
		if n.negate {
			op = " AND "
		}
		w.insert(start, "(")
		w.string(op)
		n.unlisted(w, true)
		w.byte(')')
	}
	w.nullable = w.nullable || outer
	return kind{class: boolean}
}

// unlisted writes the condition for a list without values.
func (n membership) unlisted(w *writer, null bool) {
	switch {
	case null && n.negate:
		comparison{n.left, "<>", nil}.write(w)
	case null:
		comparison{n.left, "=", nil}.write(w)
	case n.negate:
		w.string("1 = 1")
	default:
		w.string("1 = 0")
	}
}
