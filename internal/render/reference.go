package render

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// reference finds the column that n names.
func (s *scope) reference(n ast.Node) (*Join, *Field, error) {
	switch n := n.(type) {
	case ast.Column:
		return s.field(n.Path)
	case *ast.Member:
		return s.member(n)
	}
	return nil, nil, errNoExpr
}

func (s *scope) member(n *ast.Member) (*Join, *Field, error) {
	switch {
	case n.Err != nil:
		return nil, nil, n.Err
	case n.Model != s.root.Type:
		return nil, nil, fmt.Errorf("a column of %s is used in a statement on %s", n.Model, s.root.Name)
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
			return nil, nil, fmt.Errorf("%s.%s is no relation", m.Name, goName)
		}
		path = strings.TrimPrefix(path+"."+r.name, ".")
		var err error
		if j, err = s.join(path); err != nil {
			return nil, nil, err
		}
		m = j.Model
	}
	f := m.byIndex(n.Index)
	if f == nil {
		return nil, nil, fmt.Errorf("the struct field of a typed column is no column of %s", m.Name)
	}
	return j, f, nil
}

func (w *writer) reference(n ast.Node) kind {
	j, f, err := w.scope.reference(n)
	if err != nil {
		w.fail(err)
		return kind{}
	}
	return w.column(j, f)
}

// column writes a qualified column.
func (w *writer) column(j *Join, f *Field) kind {
	w.string(w.scope.qualifier(j))
	w.byte('.')
	w.string(string(f.SQLName))
	if f.Nullable || j != nil && j.Nullable {
		w.nullable = true
	}
	if w.references != nil && j == nil {
		w.references(f)
	}
	return kind{f.Column, f}
}

// output is a column as it is read.
func (w *writer) output(j *Join, f *Field) {
	w.string(w.spelling.output(f, w.scope.qualifier(j)+"."+string(f.SQLName)))
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

func (f *Field) narrow() bool { return f.Column.Kind == column.Float && f.Column.Bits == 32 }
