package render

import (
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// Assignment is a column and the value that an UPDATE gives it.
type Assignment struct {
	Field *Field
	Value any  // an [ast.Node], or a Go value
	Bound bool // Value is what [Field.Value] returned
}

const errForeignColumn = "is in another table, which an UPDATE cannot read"

// Assignment finds the column of m that is assigned.
func (m *Model) Assignment(a ast.Assignment) (Assignment, error) {
	c, err := (&scope{models: m.models, root: m, closed: errForeignColumn}).find(a.Column)
	f := c.field
	if err == nil && f.ScanOnly {
		err = f.NotWritten()
	}
	return Assignment{Field: f, Value: a.Value}, err
}

// NotWritten refuses to write a column that is only read.
func (f *Field) NotWritten() error {
	return &query.FieldError{Model: f.Model.Name, Name: f.Name, Reason: "is tagged scanonly: the server fills it in"}
}

// assign writes the SET clause.
func (w *writer) assign(list []Assignment) {
	w.scope.closed = errForeignColumn
	w.assigning = true
	defer func() { w.scope.closed, w.assigning = "", false }()
	for i, set := range w.inOrder(w.settings(list)) {
		if i > 0 {
			w.string(", ")
		}
		w.string(string(set.Field.SQLName) + " = ")
		set.write(w)
	}
}

// setting is an assignment, and what is known of its value.
type setting struct {
	Assignment
	reads []*Field // columns that the value is computed from
	raw   bool     // and, as a part came from Raw, others that are not known
}

// before reports whether s has to be assigned before other is, because it is
// computed from other's column. What Raw reads is not known: it goes first, and
// of two only the operands tell.
func (s *setting) before(other *setting) bool {
	switch {
	case slices.Contains(s.reads, other.Field):
		return true
	case !s.raw || other.raw && len(s.reads) > 0 && len(other.reads) > 0:
		return false
	}
	return other.raw || len(s.reads) == 0 || !slices.Contains(other.reads, s.Field)
}

func (w *writer) settings(list []Assignment) []*setting {
	sets := make([]*setting, 0, len(list))
next:
	for _, a := range list {
		for _, have := range sets {
			if have.Field == a.Field {
				if both, ok := together(have.Value, a.Value); ok {
					have.Value = both
					continue next
				}
				w.fail(&query.FieldError{Model: a.Field.Model.Name, Name: a.Field.Name, Reason: "is assigned twice"})
			}
		}
		sets = append(sets, &setting{Assignment: a})
	}
	return sets
}

// together is the changes of a JSON column by several assignments.
func together(a, b any) (both ast.JSONChanged, ok bool) {
	x, isChange := a.(ast.JSONChanged)
	y, areBoth := b.(ast.JSONChanged)
	if !isChange || !areBoth {
		return both, false
	}
	return ast.JSONChanged{Of: x.Of, Changes: slices.Concat(x.Changes, y.Changes)}, true
}

func (s *setting) write(w *writer) {
	if s.Bound {
		w.bind(s.Value)
		return
	}
	k := kind{s.Field.Column, s.Field}
	value := s.Value
	if constant, ok := value.(ast.Value); ok {
		value = constant.V
	}
	if n, ok := value.(ast.Node); ok {
		w.computed(k, n)
		return
	}
	bound, err := s.Field.assigned(value)
	if err != nil {
		w.fail(err)
	}
	w.bind(bound)
}

// assigned is what is bound for a Go value that the column is given.
func (f *Field) assigned(value any) (any, error) {
	k := kind{f.Column, f}
	bound, err := k.value(value)
	if bound != nil && err == nil {
		if bound, err = k.stored(bound, reflect.TypeOf(value)); err == nil {
			bound, err = f.keep(bound, reflect.TypeOf(value))
		}
	}
	return bound, err
}

// inOrder sorts the assignments so that none reads a column after it was
// assigned: MySQL works through them from left to right and shows each the
// work of those before it.
func (w *writer) inOrder(sets []*setting) []*setting {
	if !w.sequential || len(sets) < 2 || w.err != nil {
		return sets
	}
	for _, set := range sets {
		if _, computed := set.Value.(ast.Node); !computed || set.Bound {
			continue
		}
		buf, args, raw := len(w.buf), len(w.args), w.raw
		w.references, w.raw = func(f *Field) { set.reads = append(set.reads, f) }, false
		set.write(w)
		set.raw = w.raw
		w.references, w.buf, w.args, w.raw = nil, w.buf[:buf], w.args[:args], raw
	}
	left := slices.Clone(sets)
	ordered := make([]*setting, 0, len(sets))
	for len(left) > 0 {
		i := slices.IndexFunc(left, func(set *setting) bool {
			return !slices.ContainsFunc(left, func(other *setting) bool {
				return other != set && other.before(set)
			})
		})
		if i < 0 {
			if slices.ContainsFunc(left, func(set *setting) bool { return set.raw }) {
				w.fail(&dialect.UnsupportedError{Server: w.server, Feature: "Raw for several columns, or beside one computed from its column, in one UPDATE",
					Hint: "what the Raw for " + left[0].Field.Name + " reads is not known; name the columns in it as operands: Raw(\"? + 1\", F(\"speed\"))"})
				return sets
			}
			w.fail(&dialect.UnsupportedError{Server: w.server, Feature: "exchanging the values of columns in one UPDATE",
				Hint: left[0].Field.Name + " and another column are each computed from the other; read the row and save it"})
			return sets
		}
		ordered = append(ordered, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return ordered
}
