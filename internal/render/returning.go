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
func Chosen(s *ast.Select) bool { return s.Limit != nil || s.Offset != 0 || len(s.Locks) > 0 }

// Locking is s with a lock on its rows of m, unless it has one: of two that choose
// the same rows the second would change them once more.
func (m *Model) Locking(s ast.Select) ast.Select {
	if len(s.Locks) == 0 {
		l := &ast.Lock{Strength: ast.ForUpdate}
		if m.models.server.Can(dialect.Of) {
			l.Of = []string{"self"}
		} else {
			l.Apart = true
		}
		s.Locks = []*ast.Lock{l}
	}
	return s
}

// Keys renders a SELECT of the primary keys of rows of m that are to be changed. It
// takes what a statement that changes them takes, so that every server refuses the same.
func (m *Model) Keys(s *ast.Select) (Text, error) {
	return m.models.written(256, func(w *writer) { w.some(s, m, m.PKs) })
}

// some writes a SELECT of some columns of m, in a scope of its own.
func (w *writer) some(s *ast.Select, m *Model, fields []*Field) {
	w.enter(s, m, nil, "")
	w.string("SELECT ")
	for i, f := range fields {
		if i > 0 {
			w.string(", ")
		}
		w.string(w.spelling.output(f, w.scope.qualifier(nil)+"."+string(f.SQLName)))
	}
	w.nullable = false
	w.tail(s)
}

// UpdateReturning is an UPDATE of the rows of a query that returns them.
type UpdateReturning struct {
	Model *Model
	Query ast.Select
	Set   []Assignment
}

// Render returns the statement.
func (s *UpdateReturning) Render() (Text, error) {
	return s.Model.models.written(512, func(w *writer) {
		w.of(s.Model)
		w.database, w.scope.deleted = s.Query.Database, s.Query.DeletedOf
		if len(s.Set) == 0 {
			w.fail(errors.New("UpdateReturning without an assignment"))
		}
		w.change(s.Query, "UPDATE ", " FROM ", func() {
			w.string(" SET ")
			w.assign(s.Set)
		})
	})
}

// DeleteReturning is a DELETE of the rows of a query that returns them.
type DeleteReturning struct {
	Model *Model
	Query ast.Select
}

// Render returns the statement.
func (s *DeleteReturning) Render() (Text, error) {
	return s.Model.models.written(512, func(w *writer) {
		w.of(s.Model)
		w.database, w.scope.deleted = s.Query.Database, s.Query.DeletedOf
		w.change(s.Query, "DELETE FROM ", " USING ", func() {})
	})
}

// change writes a statement that changes the rows of s and returns them. Rows that
// have to be chosen are, in front of it: PostgreSQL runs a sub-select in the
// condition as often as its plan says, and would lock others each time. What locks
// rows is never merged into the rest of a statement there (its manual, "WITH
// Queries").
func (w *writer) change(s ast.Select, verb, beside string, set func()) {
	m := w.scope.root
	table, chosen := string(m.Table.SQLName), Chosen(&s)
	apart := chosen && w.numbered
	name := ""
	if apart {
		s = m.Locking(s)
		name = w.scope.quoted(w.unread("matching", set))
		w.string("WITH " + name + " (")
		for i := range m.PKs {
			if i > 0 {
				w.string(", ")
			}
			w.string("k" + strconv.Itoa(i+1))
		}
		w.string(") AS (")
		w.some(&s, m, m.PKs)
		w.string(") ")
		w.scope = w.base
	}
	w.string(verb + table)
	set()
	switch {
	case apart:
		w.string(beside + name)
		for i, f := range m.PKs {
			if i == 0 {
				w.string(" WHERE ")
			} else {
				w.string(" AND ")
			}
			w.string(table + "." + string(f.SQLName) + " = " + name + ".k" + strconv.Itoa(i+1))
		}
	case chosen:
		w.string(" WHERE (")
		w.fields(m.PKs)
		w.string(") IN (")
		w.some(&s, m, m.PKs)
		w.scope = w.base
		w.byte(')')
	default:
		w.matching(m.stored(s.Where, s.Deleted))
	}
	w.string(" RETURNING " + m.list)
}

// unread is name, or another with a number behind it, such that no table is called so that
// is read by what f writes, which stands behind a common table expression of that name.
func (w *writer) unread(name string, f func()) string {
	w.with.tables = map[string]bool{}
	w.trying(f)
	free := name
	for n := 2; w.with.read(free) || w.scope.taken(free); n++ {
		free = name + "_" + strconv.Itoa(n)
	}
	w.with.tables = nil
	return free
}

// Own is the column of the model itself that n names, and an error if it names
// another, or none.
func (m *Model) Own(n ast.Node) (*Field, error) {
	c, err := (&scope{models: m.models, root: m, closed: "is in another table"}).find(n)
	return c.field, err
}
