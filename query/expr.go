package query

import (
	"fmt"
	"reflect"
)

// Operand is an [Expr] or a typed column: what can stand on either side of a
// comparison, and in the arguments of a function.
type Operand interface {
	operand() node
}

// Expr is something that the server computes for each row: a column, a bound
// value, arithmetic, a function. Where a method takes any, a value is bound,
// and an Operand is rendered.
type Expr struct{ node node }

// F is the column with this name. A dot leads over a relation, named in lower
// case like its struct field: "project.name". An unknown name is a *FieldError
// when the statement is rendered.
func F(path string) Expr { return Expr{fieldRef{path}} }

// Value is a bound value where an expression is needed, as in
// Coalesce(F("path"), Value("")). Elsewhere a plain Go value does.
func Value(v any) Expr { return Expr{constant{v}} }

func (e Expr) operand() node { return e.node }

// Add is the sum of e and v.
func (e Expr) Add(v any) Expr { return Expr{arithmetic{e.node, " + ", v}} }

// Sub is e without v.
func (e Expr) Sub(v any) Expr { return Expr{arithmetic{e.node, " - ", v}} }

// Mul is the product of e and v.
func (e Expr) Mul(v any) Expr { return Expr{arithmetic{e.node, " * ", v}} }

// missing stands where an expression should.
type missing struct{}

func (missing) write(w *writer) kind {
	w.fail(errNoExpr)
	return kind{}
}

func nodeOf(o Operand) node {
	if o == nil || o.operand() == nil {
		return missing{}
	}
	return o.operand()
}

// writeNode renders a node that may be missing.
func (w *writer) writeNode(n node) kind {
	if n == nil {
		w.fail(errNoExpr)
		return kind{}
	}
	return n.write(w)
}

// prepare binds v for comparison or arithmetic with something of kind k.
func (w *writer) prepare(k kind, v any) any {
	bound, err := k.value(v)
	if err != nil {
		w.fail(err)
	}
	return bound
}

// value converts v for the driver and checks that it fits.
func (k kind) value(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	t := reflect.TypeOf(v)
	if c := classOf(t); !k.fits(c) || k.class != anything && isList(t) {
		name := ""
		if k.field != nil {
			name = k.field.String()
		}
		return nil, &ValueError{Field: name, Type: t.String(), Reason: fmt.Sprintf("cannot stand beside %s", k.class)}
	}
	var bound any
	var err error
	if k.field != nil && t == k.field.StructField.Type {
		bound, err = k.field.bind(reflect.ValueOf(v))
	} else {
		bound, err = Bind(v)
	}
	if err != nil && k.field != nil {
		err = k.field.explain(err)
	}
	// For SQLite no text equals bytes, whatever column they stand in.
	switch b := bound.(type) {
	case []byte:
		if k.class == text {
			bound = string(b)
		}
	case string:
		if k.class == binary {
			bound = []byte(b)
		}
	}
	return bound, err
}

// right writes the right-hand side of an operator whose left-hand side is of
// kind k. bound is what prepare returned for a v that is no Operand.
func (w *writer) right(k kind, v, bound any) kind {
	if o, ok := v.(Operand); ok {
		return w.writeNode(o.operand())
	}
	if f, isFloat := bound.(float64); isFloat && w.casts && k.class == integer {
		return w.cast(f, "double precision", float) // the server would take it for an integer
	}
	w.bind(bound)
	return k
}

func (w *writer) cast(v any, as string, c class) kind {
	w.string("CAST(")
	w.bind(v)
	w.string(" AS " + as + ")")
	return kind{class: c}
}

// constant is a bound value that stands alone.
type constant struct{ v any }

func (n constant) write(w *writer) kind {
	bound, err := Bind(n.v)
	if err != nil {
		w.fail(err)
		return kind{}
	}
	if bound == nil {
		w.nullable = true
	}
	c := anything
	if n.v != nil {
		c = classOf(reflect.TypeOf(n.v))
	}
	if as, ok := castNames[c]; ok && w.casts {
		return w.cast(bound, as, c)
	}
	w.bind(bound)
	return kind{class: c}
}

// What PostgreSQL calls the classes of values.
var castNames = map[class]string{
	integer: "bigint", float: "double precision", text: "text",
	boolean: "boolean", instant: "timestamptz", binary: "bytea",
}

type arithmetic struct {
	left  node
	op    string
	right any
}

func (n arithmetic) write(w *writer) kind {
	w.byte('(')
	k := w.writeNode(n.left)
	var bound any
	if _, ok := n.right.(Operand); !ok {
		if bound = w.prepare(k, n.right); bound == nil && w.err == nil {
			w.fail(&ValueError{Type: "nil", Reason: "cannot be calculated with"})
		}
	}
	w.string(n.op)
	r := w.right(k, n.right, bound)
	w.byte(')')
	if k.class == integer && r.class == float {
		k.class = float
	}
	k.field = nil
	return k
}
