package render

import (
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// holdsDeletion are the types of a field that says when a row was deleted, and NULL
// as long as it was not.
var holdsDeletion = []reflect.Type{timeType, reflect.TypeFor[*time.Time](), nullTime, reflect.TypeFor[sql.NullTime](), reflect.TypeFor[sql.Null[time.Time]]()}

// compileDeleted finds the column that is tagged soft_delete. A row that is not
// deleted has NULL there: a column of another kind, or one that cannot be NULL, would
// have each row deleted, or none.
func (m *Model) compileDeleted() error {
	for _, f := range m.Fields {
		if !f.Tag.HasOption("soft_delete") {
			continue
		}
		_, isDefault := f.Tag.Option("default")
		t := f.StructField.Type
		var because string
		switch {
		case m.Deleted != nil:
			because = "a row is deleted by one column, and " + m.Deleted.GoName + " is tagged too"
		case !slices.Contains(holdsDeletion, t) || f.Column.Kind != column.Timestamp:
			because = "the column says when a row was deleted: make it a time.Time tagged nullzero, a *time.Time, a bun.NullTime or a sql.NullTime"
		case t == timeType && !f.NullZero:
			because = "a row that is not deleted has NULL there: tag it nullzero, or make it a *time.Time"
		case f.IsPK || f.NotNull || isDefault || f.ScanOnly:
			because = "a row that is not deleted has NULL there, and so no pk, notnull, default or scanonly"
		default:
			m.Deleted = f
			continue
		}
		return fmt.Errorf("field %s: the tag soft_delete: %s", f.GoName, because)
	}
	return nil
}

// stored holds for the rows of a model that are not deleted, or for the others.
type stored struct {
	ast.Node
	model   *Model
	deleted bool
}

// stored is conds with what restricts them to the rows that d says.
func (m *Model) stored(conds []ast.Node, d ast.Deleted) []ast.Node {
	if m == nil || m.Deleted == nil || d == ast.WithDeleted {
		return conds
	}
	return append(slices.Clip(conds), stored{model: m, deleted: d == ast.OnlyDeleted})
}

// stored writes the condition. It is on the column of the table, whatever else the
// statement puts out under its name.
func (w *writer) stored(n stored) kind {
	nullable := w.nullable
	w.column(nil, n.model.Deleted)
	if n.deleted {
		w.string(" IS NOT NULL")
	} else {
		w.string(" IS NULL")
	}
	w.nullable = nullable
	return condition
}

// within is what paths say of the rows at the end of path, as they see it.
func within(paths []string, path string) (below []string) {
	for _, p := range paths {
		if rest, ok := strings.CutPrefix(p, path+"."); ok {
			below = append(below, rest)
		}
	}
	return below
}

// MarksDeleted is nil if rows of the model at the end of path, a path of relations, are
// marked when they are deleted, and else why nobody can ask for deleted ones. m itself
// is at the end of "self".
func (m *Model) MarksDeleted(path string) error {
	if path != "self" {
		s := &scope{models: m.models, root: m}
		if err := s.tooDeep(path); err != nil {
			return err
		}
		for _, name := range strings.Split(path, ".") {
			r, err := m.related(name)
			if err == nil {
				m, err = m.models.Of(r.JoinTable.Type)
			}
			if err != nil {
				return err
			}
		}
	}
	if m.Deleted == nil {
		return fmt.Errorf("%s has no column tagged soft_delete: rows that are deleted are not there", m.Name)
	}
	return nil
}
