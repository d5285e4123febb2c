package render

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// subSelect writes a SELECT in parentheses, which may name columns of the one around
// it, and returns what it puts out and its scope.
func (w *writer) subSelect(s *ast.Select) ([]Output, *scope) {
	w.subSelects = true
	w.byte('(')
	outputs, sc := w.inner(s, w.scope, "")
	w.byte(')')
	return outputs, sc
}

// scalar writes a SELECT that stands for a value. Of several rows SQLite would take
// the first one, and the others fail: it has to be clear that there is one at most.
func (w *writer) scalar(s *ast.Select) kind {
	w.whole(s)
	if w.assigning && w.nested && w.readsChanged(s) {
		s = &ast.Select{From: s, Limit: s.Limit} // which the server reads before it changes anything
		if s.Limit == nil {
			s.Limit = new(int64)
			*s.Limit = 1
		}
	}
	outputs, sc := w.subSelect(s)
	w.nullable = true
	if w.err != nil {
		return kind{}
	}
	if len(outputs) != 1 {
		w.fail(fmt.Errorf("a sub-select that stands for a value puts out one, and this one %d", len(outputs)))
		return kind{}
	}
	if one := sc.aggregated && len(s.Group) == 0 || s.Limit != nil && *s.Limit <= 1; !one {
		w.fail(errors.New("a sub-select that stands for a value has one row: put out an aggregate without GroupBy, or say Limit(1)"))
	}
	return outputs[0].Type
}

// readsChanged reports whether s reads the table that the statement changes.
func (w *writer) readsChanged(s *ast.Select) bool {
	before := w.changed
	w.changed = false
	w.trying(func() { w.subSelect(s) })
	found := w.changed
	w.changed = before
	return found
}

// whole refuses whole rows as a value.
func (w *writer) whole(s *ast.Select) {
	if _, isTable := s.From.(ast.Table); isTable && len(s.Outputs) == 0 {
		w.fail(errors.New("a query of whole rows is no value: say which column with query.Select"))
	}
}

func (w *writer) exists(n ast.Exists) kind {
	if n.Of == nil {
		w.fail(errNilQuery)
		return condition
	}
	one := *n.Of
	if len(one.Group) == 0 { // whatever it puts out
		one.Order = nil
		if one.Offset == 0 {
			one.Distinct = false
		}
		if !one.Distinct && !w.aggregating(n.Of) {
			one.Outputs, one.Related = []ast.Output{{Of: ast.One{}}}, nil
		}
	}
	nullable := w.nullable
	if one.Distinct && one.Offset != 0 { // servers but PostgreSQL pass over DISTINCT in EXISTS, whatever OFFSET counts
		w.fail(errors.New("Exists of a query with Distinct and Offset: count what it puts out instead"))
	}
	if len(one.Group) > 0 && one.Offset != 0 { // MySQL 9.7 passes over GROUP BY there, too, and counts rows
		w.fail(errors.New("Exists of a query with GroupBy and Offset: count what it puts out instead"))
	}
	w.string("EXISTS ")
	w.subSelect(&one)
	w.nullable = nullable
	return condition
}

var errNilQuery = errors.New("a sub-select is nil")

// aggregating reports whether s puts out aggregates, so that there is a row even
// without any to compute them from.
func (w *writer) aggregating(s *ast.Select) bool {
	if len(s.Outputs) == 0 {
		return false
	}
	found := false
	w.trying(func() {
		_, sc := w.subSelect(s)
		found = sc.aggregated
	})
	return found
}

// trying takes back what f writes.
func (w *writer) trying(f func()) {
	buf, args, raw, nullable, subSelects := len(w.buf), len(w.args), w.raw, w.nullable, w.subSelects
	for sc := w.scope; sc != nil; sc = sc.outer {
		defer func(found int) { sc.found = found }(sc.found)
	}
	f()
	w.buf, w.args, w.raw, w.nullable, w.subSelects = w.buf[:buf], w.args[:args], raw, nullable, subSelects
}

// among writes x IN (SELECT …). MySQL takes no LIMIT there: it stands one deeper, on
// every engine, so that it means the same.
func (w *writer) among(n ast.Among) kind {
	if n.Of == nil {
		w.fail(errNilQuery)
		return condition
	}
	w.whole(n.Of)
	outer, start, args := w.nullable, len(w.buf), len(w.args)
	w.nullable = false
	k := w.node(n.Left)
	if n.Negate {
		w.string(" NOT IN ")
	} else {
		w.string(" IN ")
	}
	s := n.Of
	if s.Limit != nil || s.Offset != 0 {
		s = &ast.Select{From: s}
	} else if len(s.Order) > 0 {
		plain := *s
		plain.Order = nil
		s = &plain
	}
	left, at := w.nullable, len(w.buf)
	outputs, sc := w.subSelect(s)
	if again, apart := w.amongTexts(n, k, outputs); apart {
		w.buf, w.args, w.nullable = w.buf[:start], w.args[:args], outer
		return w.among(again)
	}
	if w.err == nil && sc.windowed && w.server.Engine == dialect.MySQL { // whose error 1235 it is in the SELECT itself
		w.insert(at, "(SELECT * FROM ")
		w.string(" AS `sub`)")
	}
	switch {
	case w.err != nil:
		return condition
	case len(outputs) != 1:
		w.fail(fmt.Errorf("a sub-select for In puts out one value, and this one %d", len(outputs)))
		return condition
	}
	w.alike(k, outputs[0].Type)
	w.nullable = left || outputs[0].Nullable
	if n.Negate && w.nullable { // unknown counts as different
		w.insert(start, "(")
		w.string(") IS NOT FALSE")
		w.nullable = false
	}
	w.nullable = w.nullable || outer
	return condition
}

// alike refuses values of two nodes that not every engine finds equal alike.
func (w *writer) alike(k, r kind) {
	switch {
	case w.err != nil:
	case !k.beside(r):
		w.fail(k.mismatch(r))
	case (k.Kind == column.Float) != (r.Kind == column.Float) && k.Kind != column.Unknown && r.Kind != column.Unknown:
		w.fail(k.refuse(reflect.TypeFor[float64](), "is a floating-point number among exact ones, of which each engine finds others equal"))
	default:
		w.sameness("looked up in a sub-select", k)
		w.decimalColumns(ast.Eq, k, r)
	}
}

// compound writes the rows of several SELECTs, without parentheses around them,
// which SQLite does not know.
func (w *writer) compound(c *ast.Compound) []Output {
	if len(c.Of) == 0 {
		w.fail(errNilQuery)
		return nil
	}
	if c.Op == ast.Intersect || c.Op == ast.Except {
		if err := w.server.Require(dialect.Intersect); err != nil {
			w.fail(err)
		}
	}
	at, args := len(w.buf), len(w.args)
	outputs, apart := w.below(c, c.Of)
	if apart != nil && w.err == nil {
		w.buf, w.args = w.buf[:at], w.args[:args]
		outputs, _ = w.below(c, apart)
	}
	return outputs
}

// below writes the SELECTs of list. Where some put out texts in types of the application's own
// and others plain ones, apart is list with plain ones alone.
func (w *writer) below(c *ast.Compound, list []*ast.Select) (outputs []Output, apart []*ast.Select) {
	all := make([][]Output, len(list))
	for i, s := range list {
		if s == nil {
			w.fail(errNilQuery)
			return nil, nil
		}
		if i > 0 {
			w.string(" " + c.Op.String() + " ")
		}
		if s.Limit != nil || s.Offset != 0 || len(s.Order) > 0 {
			s = &ast.Select{From: s}
		}
		own, _ := w.inner(s, nil, inFrom)
		if w.err != nil {
			return nil, nil
		}
		all[i] = slices.Clone(own)
		outputs = w.together(c.Op, outputs, own, i == 0)
	}
	return outputs, w.plainTexts(list, all)
}

// together is what two SELECTs put out one below the other.
func (w *writer) together(op ast.SetOp, above, below []Output, first bool) []Output {
	if op != ast.UnionAll {
		for _, o := range below {
			w.sameness("compared by "+op.String(), o.Type)
		}
	}
	if first {
		return below
	}
	if len(above) != len(below) {
		w.fail(fmt.Errorf("%s of queries that put out %d and %d values", op, len(above), len(below)))
		return above
	}
	for i := range above {
		a, b := &above[i], below[i]
		if !a.Type.beside(b.Type) && w.err == nil {
			err := a.Type.mismatch(b.Type)
			w.fail(&query.FieldError{Model: "the sub-select", Name: a.Name, Reason: "is of two kinds: " + err.Error()})
		}
		if w.err == nil && a.Type.Kind.Number() && b.Type.Kind.Number() && (a.Type.Kind == column.Float) != (b.Type.Kind == column.Float) {
			w.fail(&query.FieldError{Model: "the sub-select", Name: a.Name, Reason: "is a floating-point number in one query and an exact one in another, " +
				"which SQLite keeps apart: make one of the other with query.Cast"})
		}
		w.decimalColumns(ast.Eq, a.Type, b.Type)
		a.Nullable = a.Nullable || b.Nullable
		if a.Type != b.Type {
			a.Type = a.Type.merged(b.Type)
		}
	}
	return above
}
