package render

import (
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/uptrace/bun/schema"
)

// compile reads a struct by way of bun's schema. bun panics for tags that it
// cannot follow; an application gets an error.
func (ms *Models) compile(t reflect.Type) (m *Model, err error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("a model is a struct, not %s", t)
	}
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("model %s: %v", t, p)
		}
	}()
	table := ms.schema.Tables().Get(t)
	m = &Model{Type: t, Name: table.TypeName, Table: table, models: ms, columns: make(map[string]*Field, len(table.Fields))}
	var list strings.Builder
	for i, sf := range table.Fields {
		f := &Field{Field: sf, Model: m}
		if err := f.compile(ms); err != nil {
			return nil, fmt.Errorf("model %s: %w", t, err)
		}
		m.Fields = append(m.Fields, f)
		m.columns[f.Name] = f
		if f.IsPK {
			m.PKs = append(m.PKs, f)
		}
		if i > 0 {
			list.WriteString(", ")
		}
		list.WriteString(string(table.SQLName) + "." + string(f.SQLName))
	}
	if len(m.Fields) == 0 {
		return nil, fmt.Errorf("model %s has no columns", t)
	}
	m.list = list.String()
	for _, rel := range table.Relations {
		m.relations = append(m.relations, m.compileRelation(rel))
	}
	sort.Slice(m.relations, func(i, j int) bool { return m.relations[i].name < m.relations[j].name })
	return m, nil
}

func (f *Field) compile(ms *Models) error {
	t := f.StructField.Type
	switch {
	case f.Tag.HasOption("soft_delete"):
		return fmt.Errorf("field %s: soft_delete is not supported: filter on the column", f.GoName)
	case f.Tag.HasOption("msgpack"), f.Tag.HasOption("composite"), f.Tag.HasOption("hstore"):
		return fmt.Errorf("field %s: msgpack, composite and hstore are not supported: give its type a Value and a Scan method", f.GoName)
	}
	switch f.IndirectType.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return fmt.Errorf("field %s: %s cannot be stored; tag it `bun:\"-\"`", f.GoName, t)
	}
	f.bind = binderOf(t)
	if upper := strings.ToUpper(f.UserSQLType); upper == "JSON" || upper == "JSONB" {
		if !t.Implements(valuerType) && !reflect.PointerTo(t).Implements(valuerType) && !writtenAsText(f.IndirectType) {
			f.bind = bindJSON
			if k := f.IndirectType.Kind(); k == reflect.String || k == reflect.Slice && f.IndirectType.Elem().Kind() == reflect.Uint8 {
				f.bind = bindText // as it is read: encoding it would wrap it once more with every Save
			}
		}
	} else if !f.Tag.HasOption("type") { // a type of the user's own may hold what its name does not tell
		f.class = classOf(t)
	}
	if ms.spelling.numbered && f.Tag.HasOption("array") { // PostgreSQL's driver takes slices
		f.bind = func(v reflect.Value) (any, error) {
			if v.Kind() == reflect.Slice && v.IsNil() {
				return nil, nil
			}
			return v.Interface(), nil
		}
	}
	f.Nullable = !f.IsPK && !f.NotNull && (f.NullZero || holdsNull(t))
	return nil
}

// holdsNull reports whether a Go type can hold SQL's NULL.
func holdsNull(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	case reflect.Struct:
		if t == timeType {
			return false
		}
		if t == nullTime {
			return true
		}
		// sql.NullString and its kind: the zero value is NULL.
		if bind := binderOf(t); t.Implements(valuerType) {
			v, err := safely(bind, reflect.Zero(t))
			return err == nil && v == nil
		}
	}
	return false
}

func safely(bind binder, v reflect.Value) (value any, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("its Value panics for the zero value")
		}
	}()
	return bind(v)
}

func (m *Model) compileRelation(rel *schema.Relation) *relation {
	r := &relation{
		Relation: rel, name: rel.Field.Name,
		many: rel.Type == schema.HasManyRelation || rel.Type == schema.ManyToManyRelation,
	}
	r.nullable = rel.Type != schema.BelongsToRelation
	for _, f := range rel.BasePKs {
		if own, ok := m.columns[f.Name]; !ok || own.Nullable {
			r.nullable = true
		}
	}
	return r
}
