package render

import (
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// orderBy writes an ordering, with NULL where it is told to stand (rule S57).
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
	w.ordering(" ORDER BY ", orders, false)
	sc.naming, sc.windows, sc.aggregates, sc.watch = before.naming, before.windows, before.aggregates, before.watch
}

// ordering writes criteria behind what begins them. Where NULL has no place by itself, it is
// told everywhere: GROUP_CONCAT takes it for a zero or an empty text.
func (w *writer) ordering(begin string, orders []ast.Order, placeless bool) {
	for i, o := range orders {
		if i == 0 {
			w.string(begin)
		} else {
			w.string(", ")
		}
		w.nullable = false
		at := len(w.buf)
		k, by := w.part(func() kind { return w.criterion(o.By) })
		if k.Kind == column.JSON {
			w.ordered(ast.Lt, k)
		}
		first := !o.NullsLast()
		if moved := first == o.Desc; (moved || placeless) && w.nullable && isMySQL(w.server.Engine) { // which has no words for it
			w.inExpression(o.By, by)
			w.string(map[bool]string{true: " IS NULL DESC, ", false: " IS NULL ASC, "}[first])
			at = len(w.buf)
		}
		w.put(by)
		w.inOrderOf(k, at)
		if o.Desc {
			w.string(" DESC")
		} else {
			w.string(" ASC")
		}
		// Written only where a NULL can be: an index serves the other order.
		switch {
		case !w.nullable, w.nullsLow && (first != o.Desc || isMySQL(w.server.Engine)):
		case first:
			w.string(" NULLS FIRST")
		default:
			w.string(" NULLS LAST")
		}
	}
}

// criterion writes what is ordered by: of what is put out, the name.
func (w *writer) criterion(n ast.Node) kind {
	o := w.scope.output(n)
	if o == nil {
		return w.computedAlready(n)
	}
	if _, constant := o.of.(ast.Value); constant && isMySQL(w.server.Engine) { // MySQL does not always find the name of one
		return w.unnumbered(o.of)
	}
	within := !w.scope.windows || w.scope.inside > 0 || w.textDecimals && o.kind.Kind == column.Decimal
	if _, both := o.of.(ast.Missing); both || o.column != nil || within { // where a name is that of a column
		return w.again(o)
	}
	w.nullable = o.nullable
	w.string(w.scope.quoted(o.name))
	return o.kind
}

// computedAlready writes what no name of an output stands for. PostgreSQL takes what is computed
// and holds values for another expression than the one that DISTINCT has looked at: there it has its
// name.
func (w *writer) computedAlready(n ast.Node) kind {
	c, err := w.scope.find(n)
	if err != nil || c.computed == nil || !w.scope.distinct || w.scope.outputs != nil || !w.numbered {
		return w.unnumbered(n)
	}
	var k kind
	var nullable bool
	w.trying(func() { k, nullable = w.node(n), w.nullable })
	w.nullable = nullable
	w.string(w.scope.quoted(w.scope.computed[c.before].Name))
	return k
}

// isConstant reports whether n is a value, or a column in whose place one stands.
func (w *writer) isConstant(n ast.Node) bool {
	all := w.scope.computed
	defer func() { w.scope.computed = all }()
	for {
		c, err := w.scope.find(n)
		if err != nil || c.computed == nil {
			break
		}
		n, w.scope.computed = c.computed, w.scope.computed[:c.before]
	}
	_, constant := n.(ast.Value)
	return constant
}

// unnumbered writes what MySQL would take for the number of an output, if it is one.
func (w *writer) unnumbered(n ast.Node) kind {
	if !isMySQL(w.server.Engine) || !w.isConstant(n) {
		return w.node(n)
	}
	w.string("COALESCE(")
	k := w.node(n)
	w.string(", NULL)")
	return k
}

// inExpression writes what is ordered by, which stands in the order as by, within an
// expression. There MySQL and MariaDB take a name for that of a column that is read, if
// there is one, before they take it for that of what is put out. What DISTINCT leaves MySQL
// orders by names alone.
func (w *writer) inExpression(n ast.Node, by part) {
	sc := w.scope
	o := sc.output(n)
	switch {
	case o == nil || o.column != nil || !sc.windows:
		w.put(by)
	case !sc.distinct:
		w.again(o)
	case sc.hasColumn(o.name):
		w.fail(&query.FieldError{Model: sc.name(), Name: o.name, Reason: "is put out under the name of a column, by which this server would place NULL in a Distinct query: call it otherwise"})
	default:
		w.put(by)
	}
}

// hasColumn reports whether a column of what is read is called so, in whatever case.
func (s *scope) hasColumn(name string) bool {
	named := func(f *Field) bool { return strings.EqualFold(f.Name, name) }
	puts := func(o Output) bool { return strings.EqualFold(o.Name, name) }
	return s.root != nil && slices.ContainsFunc(s.root.Fields, named) || s.root == nil && slices.ContainsFunc(s.source.outputs, puts) ||
		slices.ContainsFunc(s.joins, func(j *Join) bool { return slices.ContainsFunc(j.Model.Fields, named) }) ||
		slices.ContainsFunc(s.beside, func(b *source) bool { return slices.ContainsFunc(b.outputs, puts) })
}
