package render

import (
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// Conflict is what an INSERT does with a row whose key is there already.
type Conflict struct {
	Target []*Field
	Set    []Assignment // none: nothing
}

// conflict writes the clause. MySQL and MariaDB have no target: whoever makes a
// Conflict for them knows that no other key can be meant.
func (w *writer) conflict(s *Insert) {
	c := s.Conflict
	w.proposed = s
	defer func() { w.proposed = nil }()
	if !w.duplicateKey {
		w.string(" ON CONFLICT (")
		w.fields(c.Target)
		w.byte(')')
		if d := s.Model.Deleted; d != nil { // the key may be one of the rows that are not deleted (S63); one of all will do as well
			w.string(" WHERE " + string(d.SQLName) + " IS NULL")
		}
		if len(c.Set) == 0 {
			w.string(" DO NOTHING")
			return
		}
		w.string(" DO UPDATE SET ")
		w.assign(c.Set)
		return
	}
	if len(c.Set) == 0 { // IGNORE would pass over every other error too
		w.string(" ON DUPLICATE KEY UPDATE " + string(c.Target[0].SQLName) + " = " + w.scope.qualifier(nil) + "." + string(c.Target[0].SQLName))
		return
	}
	if w.namesRow() {
		w.string(" AS " + w.excludedName())
	}
	w.string(" ON DUPLICATE KEY UPDATE ")
	w.assign(c.Set)
}

// namesRow: MySQL names the new row since 8.0.19 and warns of VALUES() since
// 8.0.20, which what speaks its protocol has alone.
func (w *writer) namesRow() bool {
	return w.server.Product == "MySQL" && w.server.Version.AtLeast(8, 0, 19)
}

func (w *writer) excludedName() string { return w.scope.quoted(w.scope.unused("excluded")) }

// excluded writes the new row's value of a column.
func (w *writer) excluded(n ast.Excluded) kind {
	if w.proposed == nil {
		w.fail(errors.New("query.Excluded is a new row's value, which only the Set of a query.OnConflict has"))
		return kind{}
	}
	f, err := w.scope.root.Field(n.Column)
	switch {
	case err != nil:
		w.fail(err)
		return kind{}
	case !slices.Contains(w.proposed.Fields, f):
		w.fail(&query.FieldError{Model: f.Model.Name, Name: f.Name, Reason: "is left to the server by a new row, which then has no value to be taken over: give it one"})
		return kind{}
	}
	if f.Nullable {
		w.nullable = true
	}
	switch name := string(f.SQLName); {
	case !w.duplicateKey:
		w.string("excluded." + name)
	case w.namesRow():
		w.string(w.excludedName() + "." + name)
	default:
		w.string("VALUES(" + name + ")")
	}
	return kind{f.Column, f}
}

// HasTarget reports whether an INSERT says by which key a row may meet one that
// is there.
func (ms *Models) HasTarget() bool { return !ms.spelling.duplicateKey }

// UniqueKeys are the unique keys that the model's tags tell of, the primary key
// first.
func (m *Model) UniqueKeys() [][]*Field {
	var keys [][]*Field
	if len(m.PKs) > 0 {
		keys = append(keys, m.PKs)
	}
	for name, fields := range m.Table.Unique {
		var key []*Field
		for _, sf := range fields {
			f := m.columns[sf.Name]
			if f == nil {
				continue
			}
			if name == "" { // each by itself
				keys = append(keys, []*Field{f})
				continue
			}
			key = append(key, f)
		}
		if len(key) > 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

// ReadBack is a SELECT of some columns of rows that the same block has written,
// deleted ones too, which it locks.
type ReadBack struct {
	Model  *Model
	Fields []*Field
	Where  ast.Node
}

// Render returns the statement.
func (s *ReadBack) Render() (Text, error) {
	return s.Model.models.written(256, func(w *writer) {
		w.some(&ast.Select{Where: []ast.Node{s.Where}, Locks: []*ast.Lock{{Strength: ast.ForUpdate}}, Deleted: ast.WithDeleted}, s.Model, s.Fields)
	})
}
