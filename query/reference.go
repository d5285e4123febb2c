package query

import (
	"fmt"
	"reflect"
	"strings"
)

// resolver is a node that is a column.
type resolver interface {
	node
	resolve(*scope) (*Join, *Field, error)
}

// fieldRef is a column named by its path.
type fieldRef struct{ path string }

func (n fieldRef) resolve(s *scope) (*Join, *Field, error) { return s.field(n.path) }

func (n fieldRef) write(w *writer) kind {
	j, f, err := w.scope.field(n.path)
	if err != nil {
		w.fail(err)
		return kind{}
	}
	return w.column(j, f)
}

// memberRef is a column found by the struct field that holds it.
type memberRef struct {
	model reflect.Type
	path  []string // Go names of the relations on the way
	index []int
	err   error
}

func (n memberRef) resolve(s *scope) (*Join, *Field, error) {
	switch {
	case n.err != nil:
		return nil, nil, n.err
	case n.model == nil: // a TypedColumn that no Column made
		return nil, nil, errNoExpr
	case n.model != s.root.Type:
		return nil, nil, fmt.Errorf("a column of %s is used in a statement on %s", n.model, s.root.Name)
	}
	var j *Join
	m, path := s.root, ""
	for _, goName := range n.path {
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
	f := m.byIndex(n.index)
	if f == nil {
		return nil, nil, fmt.Errorf("the struct field of a typed column is no column of %s", m.Name)
	}
	return j, f, nil
}

func (n memberRef) write(w *writer) kind {
	j, f, err := n.resolve(w.scope)
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
	return kind{f.class, f}
}
