package render

import (
	"errors"
	"strconv"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
)

// UpdatesReturning and DeletesReturning report whether the server can return the
// rows that a statement has changed.
func (ms *Models) UpdatesReturning() bool { return ms.server.Can(dialect.UpdateReturning) }

// DeletesReturning is the same for a DELETE; with a selection of its own rows
// (Limit, Offset, locks) only where that can stand within the statement.
func (ms *Models) DeletesReturning(chosen bool) bool {
	return ms.server.Can(dialect.DeleteReturning) && (!chosen || ms.server.Can(dialect.UpdateReturning))
}

// Chosen reports whether the rows have to be chosen, and locked, before they are
// changed: a condition alone does not tell them.
func (s *Select) Chosen() bool { return s.Limit != nil || s.Offset != 0 || len(s.Locks) > 0 }

// Locking is s with a lock on its rows, unless it has one: of two that choose the
// same rows the second would change them once more.
func (s Select) Locking() Select {
	if len(s.Locks) == 0 {
		l := &ast.Lock{Strength: ast.ForUpdate}
		if s.Model.models.server.Can(dialect.Of) {
			l.Of = []string{"self"}
		}
		s.Locks = []*ast.Lock{l}
	}
	return s
}

// RenderKeys returns a statement that reads the primary keys of the rows, as
// [Columns] does those of all rows.
func (s *Select) RenderKeys() (Text, error) {
	w := newWriter(s.Model, 256)
	s.keys(w)
	return w.text()
}

func (s *Select) keys(w *writer) {
	w.string("SELECT ")
	for i, f := range s.Model.PKs {
		if i > 0 {
			w.string(", ")
		}
		w.output(nil, f)
	}
	w.nullable = false
	s.tail(w)
}

// UpdateReturning is an UPDATE of the rows of a query that returns them.
type UpdateReturning struct {
	Query Select
	Set   []Assignment
}

// Render returns the statement.
func (s *UpdateReturning) Render() (Text, error) {
	w := newWriter(s.Query.Model, 512)
	if len(s.Set) == 0 {
		w.fail(errors.New("UpdateReturning without an assignment"))
	}
	s.Query.change(w, "UPDATE ", " FROM ", func() {
		w.string(" SET ")
		w.assign(s.Set)
	})
	return w.text()
}

// DeleteReturning is a DELETE of the rows of a query that returns them.
type DeleteReturning struct{ Query Select }

// Render returns the statement.
func (s *DeleteReturning) Render() (Text, error) {
	w := newWriter(s.Query.Model, 512)
	s.Query.change(w, "DELETE FROM ", " USING ", func() {})
	return w.text()
}

// change writes a statement that changes the rows of s and returns them. Rows that
// have to be chosen are, in front of it: PostgreSQL runs a sub-select in the
// condition as often as its plan says, and would lock others each time. What locks
// rows is never merged into the rest of a statement there (its manual, "WITH
// Queries").
func (s Select) change(w *writer, verb, beside string, set func()) {
	table, chosen := string(s.Model.Table.SQLName), s.Chosen()
	apart := chosen && w.numbered
	name := ""
	if apart {
		s = s.Locking()
		name = w.scope.quoted(w.scope.unused("matching"))
		w.string("WITH " + name + " (")
		for i := range s.Model.PKs {
			if i > 0 {
				w.string(", ")
			}
			w.string("k" + strconv.Itoa(i+1))
		}
		w.string(") AS (")
		s.keys(w)
		w.string(") ")
		w.scope = newScope(s.Model)
	}
	w.string(verb + table)
	set()
	switch {
	case apart:
		w.string(beside + name)
		for i, f := range s.Model.PKs {
			if i == 0 {
				w.string(" WHERE ")
			} else {
				w.string(" AND ")
			}
			w.string(table + "." + string(f.SQLName) + " = " + name + ".k" + strconv.Itoa(i+1))
		}
	case chosen:
		w.string(" WHERE (")
		w.fields(s.Model.PKs)
		w.string(") IN (")
		w.scope = newScope(s.Model)
		s.keys(w)
		w.byte(')')
	default:
		w.matching(s.Where)
	}
	w.string(" RETURNING " + s.Model.list)
}

// Own is the column of the model itself that n names, and an error if it names
// another, or none.
func (m *Model) Own(n ast.Node) (*Field, error) {
	_, f, err := (&scope{root: m, closed: "is in another table"}).reference(n)
	return f, err
}
