package render

import (
	"errors"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// Insert is an INSERT of one or more rows.
type Insert struct {
	Model  *Model
	Fields []*Field        // the columns that are given; the others get their defaults
	Rows   []reflect.Value // structs
	// Conflict is what is done with a row whose key is there; nil: an error.
	Conflict *Conflict
	// Returning are the columns to return, where the server can.
	Returning []*Field
}

// Returns reports whether the server can return columns of the rows that it
// inserts.
func (ms *Models) Returns() bool { return ms.server.Can(dialect.Returning) }

// besideRows is how many values are left for what a statement says beside its rows.
const besideRows = 256

// MaxRows is how many rows with that many columns fit into one statement.
func (ms *Models) MaxRows(columns int) int {
	return max(1, (ms.spelling.maxValues-besideRows)/max(1, columns))
}

// Render returns the statement.
func (s *Insert) Render() (Text, error) {
	if len(s.Fields) == 0 {
		return s.write()
	}
	ms := s.Model.models
	var sh shape
	sh.begin('I', s.Model)
	sh.number(int64(len(s.Rows)))
	sh.fields(s.Fields)
	sh.fields(s.Returning)
	if !sh.conflict(s.Conflict) || sh.long {
		return s.write()
	}
	k := ms.shapes.find(sh.key())
	if k != nil {
		if args := s.values(); args != nil {
			return Text{SQL: k.text, Args: args}, nil
		}
	}
	t, err := s.write()
	if err == nil && k == nil {
		ms.shapes.keep(sh.key(), &kept{text: t.SQL})
	}
	return t, err
}

// values is what the rows bind, nil if one of them cannot be bound.
func (s *Insert) values() []any {
	args := make([]any, 0, len(s.Rows)*len(s.Fields))
	for _, row := range s.Rows {
		for _, f := range s.Fields {
			v, err := f.inserted(row)
			if err != nil {
				return nil
			}
			args = append(args, f.Model.models.spelling.sent(v))
		}
	}
	return args
}

func (s *Insert) write() (Text, error) {
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
	if s.Conflict != nil {
		w.conflict(s)
	}
	if len(s.Returning) > 0 {
		w.string(" RETURNING ")
		for i, f := range s.Returning {
			if i > 0 {
				w.string(", ")
			}
			w.string(w.spelling.output(f, string(f.SQLName)))
		}
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
			v, err := f.inserted(row)
			if err != nil {
				w.fail(err)
			}
			w.bind(v)
		}
		w.byte(')')
	}
}

// inserted is what a new row has for a column. For a key that is NULL MySQL, MariaDB and
// SQLite may make one, which the row would not have.
func (f *Field) inserted(row reflect.Value) (any, error) {
	v, err := f.Value(row)
	if v == nil && err == nil && f.IsPK {
		err = &query.ValueError{Field: f.String(), Type: f.StructField.Type.String(),
			Reason: "is NULL, which no key is: give the row one, or tag the field autoincrement if the server counts it up"}
	}
	return v, err
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
	Where []ast.Node
	// Deleted and DeletedOf are those of an [ast.Select].
	Deleted   ast.Deleted
	DeletedOf []string
	// Database is whose table it is: sub-selects are of the same.
	Database any
}

// Render returns the statement.
func (s *Update) Render() (Text, error) {
	var sh shape
	sh.begin('U', s.Model)
	shaped := s.shape(&sh) && !sh.long
	t, k, found := s.Model.models.again(&sh, shaped)
	if found {
		return t, nil
	}
	t, _, err := s.Model.models.keeping(&sh, shaped && k == nil, 256, s.write, s.walk)
	return t, err
}

func (s *Update) shape(sh *shape) bool {
	sh.deleted(s.Deleted, s.DeletedOf)
	return sh.assignments(s.Set) && sh.conds(s.Model, s.Where)
}

func (s *Update) walk(w *writer, sh *shape) bool { return w.alone() && s.shape(sh) }

func (s *Update) write(w *writer) []*Join {
	w.of(s.Model)
	w.database, w.scope.deleted = s.Database, s.DeletedOf
	w.string("UPDATE ")
	w.string(string(s.Model.Table.SQLName))
	w.string(" SET ")
	if len(s.Set) == 0 {
		w.fail(errors.New("Update without an assignment"))
	}
	w.assign(s.Set)
	w.matching(s.Model.stored(s.Where, s.Deleted))
	return nil
}

// alone reports whether the conditions read the changed table alone: with another one
// they do not stand in their order.
func (w *writer) alone() bool { return len(w.scope.joins) == 0 && !w.subSelects }

// Delete is a DELETE of the rows for which the conditions hold.
type Delete struct {
	Model *Model
	Where []ast.Node
	// Deleted and DeletedOf are those of an [ast.Select].
	Deleted   ast.Deleted
	DeletedOf []string
	// Database is whose table it is: sub-selects are of the same.
	Database any
}

// Render returns the statement. It is [Update.Render] again: behind an interface or a
// function the shape would be on the heap, an allocation for each statement.
func (s *Delete) Render() (Text, error) {
	var sh shape
	sh.begin('D', s.Model)
	shaped := s.shape(&sh) && !sh.long
	t, k, found := s.Model.models.again(&sh, shaped)
	if found {
		return t, nil
	}
	t, _, err := s.Model.models.keeping(&sh, shaped && k == nil, 256, s.write, s.walk)
	return t, err
}

func (s *Delete) shape(sh *shape) bool {
	sh.deleted(s.Deleted, s.DeletedOf)
	return sh.conds(s.Model, s.Where)
}

func (s *Delete) walk(w *writer, sh *shape) bool { return w.alone() && s.shape(sh) }

func (s *Delete) write(w *writer) []*Join {
	w.of(s.Model)
	w.database, w.scope.deleted = s.Database, s.DeletedOf
	w.string("DELETE FROM ")
	w.string(string(s.Model.Table.SQLName))
	w.matching(s.Model.stored(s.Where, s.Deleted))
	return nil
}

// matching writes the conditions of an UPDATE or a DELETE. Conditions on other
// tables are looked up in a sub-select: no engine spells a join here like
// another.
//
// A server that had to wait for a row looks at its new version again, but at
// that of this row only. So the sub-select reads the columns of the very row
// that is changed, and the conditions that need no other table stand outside
// it: otherwise two workers would claim the same row one after the other.
func (w *writer) matching(conds []ast.Node) {
	at, args := len(w.buf), len(w.args)
	w.where(conds)
	copied := w.subSelects && (w.uncorrelated || w.nested && w.changed)
	if len(w.scope.joins) == 0 && !copied || w.err != nil {
		return
	}
	w.buf, w.args = w.buf[:at], w.args[:args]
	own, related := w.split(conds)
	w.where(own)
	if len(own) == 0 {
		w.string(" WHERE ")
	} else {
		w.string(" AND ")
	}
	if copied || w.uncorrelated || w.nested && w.joinsItself() {
		w.amongKeys(conds)
		return
	}
	w.string("EXISTS (SELECT 1 FROM (SELECT 1) AS " + w.scope.quoted(w.scope.unused("matching")))
	w.joins()
	w.where(related)
	w.byte(')')
}

// amongKeys looks the rows up by their keys, in a sub-select that has a table
// of its own.
func (w *writer) amongKeys(conds []ast.Node) {
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
	w.byte('(')
	qualified()
	w.string(") IN (SELECT ")
	w.fields(pks)
	w.string(" FROM (SELECT ")
	qualified()
	w.string(" FROM ")
	w.table()
	w.joins()
	w.where(conds)
	w.string(") AS matching)")
}

// split tells the conditions that read the changed row alone from those that
// need another table. What Raw reads is not known.
func (w *writer) split(conds []ast.Node) (own, related []ast.Node) {
	for _, c := range conds {
		if all, ok := c.(ast.And); ok {
			o, r := w.split(all.Of)
			own, related = append(own, o...), append(related, r...)
			continue
		}
		alone := newWriter(w.scope.root, 64)
		alone.cond(c)
		if alone.raw || alone.subSelects || len(alone.scope.joins) > 0 {
			related = append(related, c)
		} else {
			own = append(own, c)
		}
	}
	return own, related
}

// joinsItself reports whether the table that is changed is among those joined.
func (w *writer) joinsItself() bool {
	return slices.ContainsFunc(w.scope.joins, func(j *Join) bool {
		return j.Model.Table.SQLName == w.scope.root.Table.SQLName
	})
}
