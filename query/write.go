package query

import (
	"errors"
	"reflect"

	"github.com/holdfast-go/holdfast/dialect"
)

// Insert is an INSERT of one or more rows.
type Insert struct {
	Model  *Model
	Fields []*Field        // the columns that are given; the others get their defaults
	Rows   []reflect.Value // structs
	// Returning are the columns to return, where the server can.
	Returning []*Field
}

// Returns reports whether the server can return columns of the rows that it
// inserts.
func (ms *Models) Returns() bool { return ms.server.Can(dialect.Returning) }

// MaxRows is how many rows with that many columns fit into one statement.
func (ms *Models) MaxRows(columns int) int { return max(1, ms.spelling.maxValues/max(1, columns)) }

// Render returns the statement.
func (s *Insert) Render() (Text, error) {
	w := newWriter(s.Model, 128+len(s.Rows)*(4+4*len(s.Fields)))
	w.args = make([]any, 0, len(s.Rows)*len(s.Fields))
	w.string("INSERT INTO ")
	w.string(string(s.Model.Table.SQLName))
	w.byte(' ')
	if len(s.Fields) == 0 {
		if len(s.Rows) != 1 {
			w.fail(errors.New("rows without any value are inserted one by one"))
		}
		w.string(w.emptyRow)
	} else {
		w.byte('(')
		w.fields(s.Fields)
		w.string(") VALUES ")
		s.rows(w)
	}
	if len(s.Returning) > 0 {
		w.string(" RETURNING ")
		w.fields(s.Returning)
	}
	return w.text()
}

func (s *Insert) rows(w *writer) {
	for i, row := range s.Rows {
		if i > 0 {
			w.string(", ")
		}
		w.byte('(')
		for i, f := range s.Fields {
			if i > 0 {
				w.string(", ")
			}
			v, err := f.Value(row)
			if err != nil {
				w.fail(err)
			}
			w.bind(v)
		}
		w.byte(')')
	}
}

// fields writes columns without a table in front.
func (w *writer) fields(list []*Field) {
	for i, f := range list {
		if i > 0 {
			w.string(", ")
		}
		w.string(string(f.SQLName))
	}
}

// Update is an UPDATE of the rows for which the conditions hold.
type Update struct {
	Model *Model
	Set   []Assignment
	Where []Cond
}

// Render returns the statement.
func (s *Update) Render() (Text, error) {
	w := newWriter(s.Model, 256)
	w.string("UPDATE ")
	w.string(string(s.Model.Table.SQLName))
	w.string(" SET ")
	if len(s.Set) == 0 {
		w.fail(errors.New("Update without an assignment"))
	}
	w.assign(s.Set)
	w.matching(s.Where)
	return w.text()
}

// Delete is a DELETE of the rows for which the conditions hold.
type Delete struct {
	Model *Model
	Where []Cond
}

// Render returns the statement.
func (s *Delete) Render() (Text, error) {
	w := newWriter(s.Model, 256)
	w.string("DELETE FROM ")
	w.string(string(s.Model.Table.SQLName))
	w.matching(s.Where)
	return w.text()
}

// matching writes the conditions of an UPDATE or a DELETE. Conditions on other
// tables are looked up in a sub-select: no engine spells a join here like
// another.
func (w *writer) matching(conds []Cond) {
	at, args := len(w.buf), len(w.args)
	w.where(conds)
	if len(w.scope.joins) == 0 || w.err != nil {
		return
	}
	w.buf, w.args = w.buf[:at], w.args[:args]
	pks := w.scope.root.PKs
	if len(pks) == 0 {
		w.fail(errors.New(w.scope.root.Name + " has no primary key, which a condition on a relation needs here"))
		return
	}
	qualified := func() {
		for i, f := range pks {
			if i > 0 {
				w.string(", ")
			}
			w.column(nil, f)
		}
	}
	w.string(" WHERE (")
	qualified()
	w.string(") IN (SELECT ")
	if w.nested { // MySQL refuses to read the table that it changes, except by way of a derived one
		w.fields(pks)
		w.string(" FROM (SELECT ")
	}
	qualified()
	w.from()
	w.where(conds)
	if w.nested {
		w.string(") AS matching")
	}
	w.byte(')')
}
