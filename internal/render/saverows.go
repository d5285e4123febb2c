package render

import (
	"errors"
	"reflect"
	"time"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// SaveRows is an UPDATE that gives each of several rows values of its own.
type SaveRows struct {
	Model  *Model
	Rows   []reflect.Value // structs
	Fields []*Field        // the columns whose values the rows have
	Set    []Assignment    // what is the same for all of them
	Where  []ast.Node      // finds the rows
	// Deleted is that of an [ast.Select].
	Deleted ast.Deleted
}

// Values is how many values a row adds to the statement, besides those of Where.
func (s *SaveRows) Values() int { return len(s.Fields) * (len(s.Model.PKs) + 1) }

// Render returns the statement.
func (s *SaveRows) Render() (Text, error) {
	w := newWriter(s.Model, 256+len(s.Rows)*s.Values()*8)
	w.string("UPDATE ")
	w.string(string(s.Model.Table.SQLName))
	w.string(" SET ")
	keys := make([][]any, len(s.Rows))
	for i, row := range s.Rows {
		for _, f := range s.Model.PKs {
			keys[i] = append(keys[i], w.own(f, row))
		}
	}
	if len(s.Set)+len(s.Fields) == 0 {
		w.fail(errors.New("there is no column to save"))
	}
	if len(s.Set) > 0 {
		w.assign(s.Set)
	}
	for i, f := range s.Fields {
		if i > 0 || len(s.Set) > 0 {
			w.string(", ")
		}
		w.string(string(f.SQLName) + " = ")
		s.column(w, f, keys)
	}
	w.where(s.Model.stored(s.Where, s.Deleted))
	return w.text()
}

// own is the value that a row has for a column.
func (w *writer) own(f *Field, row reflect.Value) any {
	v, err := f.Value(row)
	if err != nil {
		w.fail(err)
	}
	return v
}

// column writes what a column becomes: the value of each row by its key, in the
// column's own type, which PostgreSQL takes from the branch that is never reached.
func (s *SaveRows) column(w *writer, f *Field, keys [][]any) {
	values := make([]any, len(s.Rows))
	same := true
	for i, row := range s.Rows {
		values[i] = w.own(f, row)
		same = same && equalBound(values[0], values[i])
	}
	if same {
		w.bind(values[0])
		return
	}
	pks := s.Model.PKs
	w.string("CASE")
	if len(pks) == 1 {
		w.byte(' ')
		w.column(nil, pks[0])
	}
	for i, key := range keys {
		w.string(" WHEN ")
		for n, part := range key {
			if n > 0 {
				w.string(opAnd)
			}
			k := kind{pks[n].Column, pks[n]}
			if len(pks) > 1 {
				w.column(nil, pks[n])
				w.string(" = ")
			}
			w.bound(k, part)
		}
		w.string(" THEN ")
		w.bind(values[i])
	}
	if w.casts {
		w.string(" ELSE ")
		w.column(nil, f)
	}
	w.string(" END")
}

// equalBound reports whether two bound values are certainly the same.
func equalBound(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case int64, uint64, bool, string:
		return a == b
	case time.Time:
		t, ok := b.(time.Time)
		return ok && a.Equal(t)
	}
	return false
}
