package render

import (
	"fmt"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

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
		return nil, &query.ValueError{Field: name, Type: t.String(), Reason: fmt.Sprintf("cannot stand beside %s", k.class)}
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
// kind k. bound is what prepare returned for a v that is no node.
func (w *writer) right(k kind, v, bound any) kind {
	if n, ok := v.(ast.Node); ok {
		return w.node(n)
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

func (w *writer) value(n ast.Value) kind {
	bound, err := Bind(n.V)
	if err != nil {
		w.fail(err)
		return kind{}
	}
	if bound == nil {
		w.nullable = true
	}
	c := anything
	if n.V != nil {
		c = classOf(reflect.TypeOf(n.V))
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

var arithmeticOps = [...]string{ast.Add: " + ", ast.Sub: " - ", ast.Mul: " * "}

func (w *writer) arithmetic(n ast.Arithmetic) kind {
	w.byte('(')
	k := w.node(n.Left)
	var bound any
	if _, ok := n.Right.(ast.Node); !ok {
		if bound = w.prepare(k, n.Right); bound == nil && w.err == nil {
			w.fail(&query.ValueError{Type: "nil", Reason: "cannot be calculated with"})
		}
	}
	w.string(arithmeticOps[n.Op])
	r := w.right(k, n.Right, bound)
	w.byte(')')
	if k.class == integer && r.class == float {
		k.class = float
	}
	k.field = nil
	return k
}

func (w *writer) timeOfStatement() kind {
	w.string(w.now)
	return kind{class: instant}
}
