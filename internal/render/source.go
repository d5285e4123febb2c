package render

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// source is a SELECT that stands in FROM: what can be named there is what it puts
// out.
type source struct {
	name    string // of a joined one, in paths
	alias   string
	outputs []Output
	left    bool // of a LEFT JOIN: a row may be missing

	text string
	args []any // of text, where placeholders are not numbered
}

// Output is what a SELECT puts out.
type Output struct {
	Name string
	// Type is what is known of the values.
	Type kind
	// Nullable is true if a value may be NULL.
	Nullable bool
}

// Outputs is all that a SELECT puts out. That of a statement that is kept is the same
// each time.
type Outputs struct {
	List []Output
	into sync.Map // reflect.Type → what reads them into it
}

// Into is what build has made to read these outputs into values of type t. It is safe
// for use by several goroutines; what build returns has to be, too.
func (o *Outputs) Into(t reflect.Type, build func([]Output) (any, error)) (any, error) {
	if r, ok := o.into.Load(t); ok {
		return r, nil
	}
	r, err := build(o.List)
	if err != nil {
		return nil, err
	}
	r, _ = o.into.LoadOrStore(t, r)
	return r, nil
}

// find is the output of that name.
func (b *source) find(s *scope, name string) (found, error) {
	for _, o := range b.outputs {
		if o.Name == name {
			return b.found(s, o), nil
		}
	}
	e := &query.FieldError{Model: "the sub-select", Name: name}
	if b.name != "" {
		e.Model = fmt.Sprintf("the sub-select %q", b.name)
	}
	for _, o := range b.outputs {
		e.Choices = append(e.Choices, o.Name)
	}
	return found{}, e
}

// member is the output that is the column of a struct field.
func (b *source) member(s *scope, n *ast.Member) (found, error) {
	for _, o := range b.outputs {
		if f := o.Type.field; f != nil && len(n.Path) == 0 && f.Model.Type == n.Model && f.Model.byIndex(n.Index) == f {
			return b.found(s, o), nil
		}
	}
	return found{}, fmt.Errorf("the sub-select does not put out this column of %s", n.Model)
}

func (b *source) found(s *scope, o Output) found {
	return found{table: s.quoted(b.alias), column: s.quoted(o.Name), kind: o.Type, nullable: o.Nullable || b.left}
}

func (s *scope) choices() []string {
	if s.root != nil {
		return s.root.choices()
	}
	var names []string
	for _, o := range s.source.outputs {
		names = append(names, o.Name)
	}
	return names
}

// enter begins a scope for s, and writes aside the SELECTs that it reads: what they
// put out has to be known first.
func (w *writer) enter(s *ast.Select, m *Model, around *scope, apart string) *scope {
	sc := &scope{models: w.models, root: m, outer: around, apart: apart, computed: s.Computed, deleted: s.DeletedOf}
	if around != nil {
		around.inner = nil
	}
	w.scope = sc
	if w.database == nil {
		w.database = s.Database
	}
	switch from := s.From.(type) {
	case nil:
		if m == nil {
			w.fail(errors.New("a query has no source: begin with orm.Objects or query.Select"))
			sc.source = &source{}
		}
	case ast.Table:
		if m == nil {
			var err error
			if sc.root, err = w.models.Of(from.Model); err != nil {
				w.fail(err)
				sc.source = &source{}
			}
		}
	default:
		sc.root = nil
		sc.source = w.derived(from, "sub")
	}
	if sc.root != nil && around != nil {
		if name := sc.root.tableName(); around.taken(name) {
			sc.alias = around.unused(name)
		}
	}
	if around != nil {
		around.inner = sc
	}
	if w.base != nil && sc.root != nil && sc != w.base && sc.root.Table.SQLName == w.base.root.Table.SQLName {
		w.changed = true
	}
	for _, j := range s.Joins {
		w.besides(sc, j)
	}
	return sc
}

const inFrom = "is named by Outer in a sub-select that is read from, which cannot see the row of the query around it"

// derived writes a SELECT for FROM aside.
func (w *writer) derived(from ast.Source, name string) *source {
	at := w.scope
	b := &source{}
	from = itself(from)
	if w.fromName != "" {
		name, w.fromName = w.fromName, ""
	}
	b.text, b.args = w.aside(func() {
		switch from := from.(type) {
		case *ast.Select:
			w.byte('(')
			b.outputs, _ = w.inner(from, nil, inFrom)
			w.byte(')')
		case *ast.Compound:
			w.byte('(')
			b.outputs = w.compound(from)
			w.byte(')')
		case *ast.CTE:
			b.outputs = w.commonTable(from)
		}
	})
	w.scope = at
	b.alias = at.unused(name)
	return b
}

// itself is what a SELECT reads that does nothing else: a server that goes on from
// the rows of a CTE has to see it.
func itself(from ast.Source) ast.Source {
	s, ok := from.(*ast.Select)
	if !ok {
		return from
	}
	switch s.From.(type) {
	case nil, ast.Table:
		return from
	}
	if len(s.Joins) > 0 || len(s.Outputs) > 0 || len(s.Where) > 0 || len(s.Group) > 0 || len(s.Having) > 0 || s.Limit != nil || s.Offset != 0 ||
		s.Distinct || len(s.Locks) > 0 || s.Err != nil {
		return from
	}
	return itself(s.From)
}

// besides writes a JOIN of another SELECT, behind those before it. With a LIMIT MySQL and
// MariaDB do not merge it into the statement: they would take what it computes without
// its columns, such as a constant, for itself where a LEFT JOIN has found no row, MySQL
// 9.7 in IS NOT NULL, MariaDB 11.8 in functions over a window.
func (w *writer) besides(sc *scope, j ast.Join) {
	if err := checkName(j.Name); err != nil {
		w.fail(err)
	}
	for _, b := range sc.beside {
		if b.name == j.Name {
			w.fail(fmt.Errorf("two sub-selects are joined as %q", j.Name))
		}
	}
	if sc.root != nil && (sc.root.relation(j.Name) != nil || sc.root.columns[j.Name] != nil) {
		w.fail(&query.FieldError{Model: sc.root.Name, Name: j.Name, Reason: "is the name of a relation or a column: join the sub-select under another"})
	}
	if len(j.On) == 0 {
		w.fail(fmt.Errorf("the sub-select %q is joined without a condition", j.Name))
	}
	b := w.derived(j.Of, j.Name)
	b.name, b.left = j.Name, j.Left
	if j.Left && isMySQL(w.server.Engine) && slices.ContainsFunc(b.outputs, func(o Output) bool { return o.Type.field == nil }) {
		b.text = "(SELECT * FROM " + b.text + " AS " + sc.quoted(sc.unused("merged")) + " LIMIT " + w.noLimit + ")"
	}
	sc.beside = append(sc.beside, b)
	text, args := w.aside(func() {
		for i, c := range j.On {
			if i > 0 {
				w.string(opAnd)
			}
			w.cond(c)
		}
	})
	join := " INNER JOIN "
	if j.Left {
		join = " LEFT JOIN "
	}
	b.text = join + b.text + " AS " + sc.quoted(b.alias) + " ON " + text
	b.args = append(b.args, args...)
}

// aside takes what f writes out again, for later. Numbered values stay.
func (w *writer) aside(f func()) (string, []any) {
	at, args := len(w.buf), len(w.args)
	f()
	text := string(w.buf[at:])
	w.buf = w.buf[:at]
	if w.numbered {
		return text, nil
	}
	taken := append([]any(nil), w.args[args:]...)
	w.args = w.args[:args]
	return text, taken
}
