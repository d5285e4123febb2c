package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// found is the column that a name leads to.
type found struct {
	join     *Join    // nil: of the root, or of a SELECT
	field    *Field   // nil: not of a table
	computed ast.Node // what stands in place of the column; nil if it stands itself
	before   int      // how many of what is computed were named before it
	table    string   // both as they are written
	column   string
	kind     kind
	nullable bool
}

// find looks for the column that n names.
func (s *scope) find(n ast.Node) (found, error) {
	switch n := n.(type) {
	case ast.Column:
		return s.named(n.Path)
	case *ast.Member:
		return s.member(n)
	}
	return found{}, errNoExpr
}

// named finds the column that path names: "text", "project.name".
func (s *scope) named(path string) (found, error) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		for i, c := range s.computed {
			if c.Name == path {
				return found{computed: c.Of, before: i}, nil
			}
		}
		if s.root == nil {
			return s.source.find(s, path)
		}
		f, err := s.root.Field(path)
		if err != nil {
			return found{}, err
		}
		return s.of(nil, f), nil
	}
	for _, b := range s.beside {
		if b.name == path[:i] {
			return b.find(s, path[i+1:])
		}
	}
	j, err := s.join(path[:i])
	if err != nil {
		return found{}, err
	}
	f, err := j.Model.Field(path[i+1:])
	if err != nil {
		return found{}, err
	}
	return s.of(j, f), nil
}

// of is a column of a table of the scope.
func (s *scope) of(j *Join, f *Field) found {
	return found{join: j, field: f, table: s.qualifier(j), column: string(f.SQLName),
		kind: kind{f.Column, f}, nullable: f.Nullable || j != nil && j.Nullable}
}

func (s *scope) member(n *ast.Member) (found, error) {
	switch {
	case n.Err != nil:
		return found{}, n.Err
	case s.root == nil:
		return s.source.member(s, n)
	case n.Model != s.root.Type:
		return found{}, fmt.Errorf("a column of %s is used in a statement on %s", n.Model, s.root.Name)
	}
	var j *Join
	m, path := s.root, ""
	for _, goName := range n.Path {
		var r *relation
		for _, have := range m.relations {
			if have.Field.GoName == goName {
				r = have
			}
		}
		if r == nil {
			return found{}, fmt.Errorf("%s.%s is no relation", m.Name, goName)
		}
		path = strings.TrimPrefix(path+"."+r.name, ".")
		var err error
		if j, err = s.join(path); err != nil {
			return found{}, err
		}
		m = j.Model
	}
	f := m.byIndex(n.Index)
	if f == nil {
		return found{}, fmt.Errorf("the struct field of a typed column is no column of %s", m.Name)
	}
	if j == nil && slices.ContainsFunc(s.computed, func(c ast.Output) bool { return c.Name == f.Name }) {
		return s.named(f.Name)
	}
	return s.of(j, f), nil
}

func (w *writer) reference(n ast.Node) kind {
	if o := w.scope.output(n); o != nil {
		return w.again(o)
	}
	return w.referenceIn(w.scope, n)
}

func (w *writer) referenceIn(s *scope, n ast.Node) kind {
	c, err := s.find(n)
	if err != nil {
		w.fail(s.withOutputs(err))
		return kind{}
	}
	if c.computed == nil {
		return w.found(s, c)
	}
	others := s.computed
	s.computed = others[:c.before] // within it the names of itself and of later ones are those of columns
	defer func() { s.computed = others }()
	if s != w.scope {
		w.fail(&query.FieldError{Model: s.name(), Name: nameOf(n), Reason: "is computed, and cannot be reached from a sub-select"})
		return kind{}
	}
	return w.node(c.computed)
}

// withOutputs is err with what is put out among the choices, where a name may mean that.
func (s *scope) withOutputs(err error) error {
	var unknown *query.FieldError
	if !s.naming || !errors.As(err, &unknown) || unknown.Reason != "" || unknown.Model != s.name() {
		return err
	}
	for _, o := range s.outputs {
		if o.name != "" && !slices.Contains(unknown.Choices, o.name) {
			unknown.Choices = append(unknown.Choices, o.name)
		}
	}
	return err
}

// outerReference writes a column of the statement around this SELECT.
func (w *writer) outerReference(n ast.Outer) kind {
	switch s := w.scope; {
	case s.outer != nil:
		return w.referenceIn(s.outer, n.Of)
	case s.apart != "":
		w.fail(&query.FieldError{Model: s.name(), Name: nameOf(n.Of), Reason: s.apart})
	default:
		w.fail(&query.FieldError{Model: s.name(), Name: nameOf(n.Of), Reason: "is named by Outer, but nothing is around this query"})
	}
	return kind{}
}

// nameOf is what a reference is called in an error.
func nameOf(n ast.Node) string {
	if c, ok := n.(ast.Column); ok {
		return c.Path
	}
	return "a typed column"
}

// column writes a qualified column of a table.
func (w *writer) column(j *Join, f *Field) kind { return w.found(w.scope, w.scope.of(j, f)) }

func (w *writer) found(s *scope, c found) kind {
	hidden := isMySQL(w.server.Engine) && s.hidden(c)
	if hidden {
		w.string("MIN(")
	}
	w.string(c.table)
	w.byte('.')
	w.string(c.column)
	if hidden {
		w.byte(')')
	}
	s.found++
	if c.nullable {
		w.nullable = true
	}
	if w.references != nil && s == w.base && c.join == nil {
		w.references(c.field)
	}
	s.reads(c)
	if w.charsets != nil && c.field != nil && c.kind.Kind == column.Text {
		c.kind.Charset = w.charsets.Of(c.field)
	}
	return c.kind
}

// output: of a floating-point number of 4 bytes MySQL's protocol shows 6 digits,
// of one of 8 bytes all that it has.
func (s *spelling) output(f *Field, column string) string {
	if s.shortFloats && f.narrow() {
		return wider + column + ")"
	}
	return column
}

const wider = "(1e0 * " // and not 0e0 +, which makes 0 of -0

func (f *Field) narrow() bool { return narrow(f.Column) }

func narrow(t column.Type) bool { return t.Kind == column.Float && t.Bits == 32 }
