package render

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
)

// compile reads a struct by way of bun's schema. bun panics for tags that it
// cannot follow; an application gets an error.
func (ms *Models) compile(t reflect.Type, answer bool) (m *Model, err error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("a model is a struct, not %s", t)
	}
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("model %s: %v", t, p)
		}
	}()
	if err := checkTags(t); err != nil {
		return nil, fmt.Errorf("model %s: %w", t, err)
	}
	if err := checkHooks(t); err != nil {
		return nil, fmt.Errorf("model %s: %w", t, err)
	}
	table, err := ms.tableOf(t, answer)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", t, err)
	}
	m = &Model{Type: t, Name: table.TypeName, Table: table, models: ms, answer: answer, number: ms.numbers.Add(1), columns: make(map[string]*Field, len(table.Fields))}
	var list strings.Builder
	for i, sf := range columnsOf(table) {
		f := &Field{Field: sf, Model: m, ScanOnly: sf.Tag.HasOption("scanonly")}
		if err := f.compile(ms); err != nil {
			return nil, fmt.Errorf("model %s: %w", t, err)
		}
		f.number = i
		m.Fields = append(m.Fields, f)
		m.columns[f.Name] = f
		if f.IsPK {
			m.PKs = append(m.PKs, f)
		}
		if i > 0 {
			list.WriteString(", ")
		}
		list.WriteString(ms.spelling.output(f, string(table.SQLName)+"."+string(f.SQLName)))
	}
	if len(m.Fields) == 0 {
		return nil, fmt.Errorf("model %s has no columns", t)
	}
	m.list = list.String()
	if err := m.compileDeleted(); err != nil {
		return nil, fmt.Errorf("model %s: %w", t, err)
	}
	for _, rel := range table.Relations {
		r, err := m.compileRelation(rel)
		if err != nil {
			return nil, fmt.Errorf("model %s: field %s: %w", t, rel.Field.GoName, err)
		}
		m.relations = append(m.relations, r)
	}
	sort.Slice(m.relations, func(i, j int) bool { return m.relations[i].name < m.relations[j].name })
	return m, nil
}

// columnsOf is the columns of a table in the order of the struct. bun leaves out
// those that it never writes.
func columnsOf(table *schema.Table) []*schema.Field {
	list := slices.Clone(table.Fields)
	for name, f := range table.FieldMap {
		if name == f.Name && f.Tag.HasOption("scanonly") {
			list = append(list, f)
		}
	}
	if len(list) > len(table.Fields) {
		slices.SortStableFunc(list, func(a, b *schema.Field) int { return slices.Compare(a.Index, b.Index) })
	}
	return list
}

func (f *Field) compile(ms *Models) error {
	t := f.StructField.Type
	switch f.IndirectType.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return fmt.Errorf("field %s: %s cannot be stored; tag it `bun:\"-\"`", f.GoName, t)
	}
	if f.IndirectType == reflect.TypeFor[big.Float]() {
		return fmt.Errorf("field %s: a big.Float is of no type that a server has: use a float64, a big.Rat or a big.Int", f.GoName)
	}
	f.Column = columnOf(ms.server.Engine, f)
	if f.elem = f.element(); f.elem != nil {
		if err := f.elem.compileColumn(); err != nil {
			return err
		}
	}
	return f.compileColumn()
}

// compileColumn compiles the way to a column of which it is known what it is.
func (f *Field) compileColumn() error {
	t := f.StructField.Type
	if !f.Model.answer && f.Untold() && column.Decimals(f.IndirectType) {
		return fmt.Errorf("field %s: %s holds decimal numbers, and nothing says of how many places the column is, to which a server rounds them without an error: "+
			"say it with the tag type, such as `bun:\"type:decimal(10,2)\"`", f.GoName, t)
	}
	if because := f.refusedModel(); because != "" {
		return fmt.Errorf("field %s: %s %s", f.GoName, t, because)
	}
	if because := f.refusedDefault(); because != "" {
		return fmt.Errorf("field %s: %s", f.GoName, because)
	}
	f.bindOwn = f.binder()
	f.bind = f.bindOwn
	if !f.plain() && f.Column.Kind.Number() {
		f.bind = func(v reflect.Value) (any, error) {
			bound, err := f.bindOwn(v)
			if err != nil || bound == nil {
				return nil, err
			}
			return kind{f.Column, f}.stored(bound, f.IndirectType)
		}
	}
	if of := f.bind; t.Kind() == reflect.Pointer {
		f.bind = nilOr(func(v reflect.Value) (any, error) { return of(v.Elem()) })
	}
	f.Nullable = !f.IsPK && !f.NotNull && (f.NullZero || holdsNull(t))
	return nil
}

// Untold reports whether neither a tag nor the Go type says what the column that the
// field writes is.
func (f *Field) Untold() bool {
	return f.Column.Kind == column.Unknown && !f.Column.Foreign && !f.ScanOnly
}

// columnOf is what the field's column is: what the tag type says, and else what
// CreateTables makes of the Go type. A type of the application's own, such as an
// enumeration, holds what the Go type does.
func columnOf(engine string, f *Field) column.Type {
	if declared, ok := f.Tag.Option("type"); ok {
		t := column.Parse(engine, declared)
		if t.Kind == column.Array && isList(f.IndirectType) && t.Elem.Kind == column.Unknown {
			*t.Elem = foreign(engine, t.Elem.Name, f.IndirectType.Elem())
		}
		if t.Kind == column.Unknown {
			t = foreign(engine, t.Name, f.IndirectType)
		}
		return t
	}
	if f.Tag.HasOption("array") && engine == dialect.Postgres && f.IndirectType.Kind() == reflect.Slice {
		elem := column.Of(engine, f.IndirectType.Elem())
		return column.Type{Kind: column.Array, Elem: &elem}
	}
	return column.Of(engine, f.IndirectType)
}

func foreign(engine, name string, t reflect.Type) column.Type {
	of := column.Of(engine, t)
	of.Name, of.Foreign = name, true
	return of
}

// binder compiles the way of what a field is, or points to, to the driver.
func (f *Field) binder() binder {
	t := f.IndirectType
	bind := binderOf(t)
	switch f.Column.Kind {
	case column.JSON:
		switch {
		case speaks(t) || writtenAsText(t):
		case holdsText(t):
			return bindText // as it is read: encoding it would wrap it once more with every Save
		default:
			return bindJSON
		}
	case column.Array: // PostgreSQL's driver takes slices
		if f.elem != nil {
			return f.elem.bindList
		}
		return func(v reflect.Value) (any, error) {
			if v.Kind() == reflect.Slice && v.IsNil() {
				return nil, nil
			}
			return v.Interface(), nil
		}
	}
	if t == timeType && f.Column.Kind != column.Date {
		return bindInstant
	}
	if f.plain() {
		return bind
	}
	return func(v reflect.Value) (any, error) {
		bound, err := bind(v)
		if err != nil || bound == nil {
			return nil, err
		}
		return f.own(bound)
	}
}

// plain reports whether the Go type is what the column holds, so that there is
// nothing to convert or to check.
func (f *Field) plain() bool {
	t := f.IndirectType
	if speaks(t) {
		return false
	}
	switch f.Column.Kind {
	case column.Integer:
		low, high := f.Column.Range()
		goLow, goHigh := goRange(t)
		return (reflect.Int <= t.Kind() && t.Kind() <= reflect.Uint64) && low <= goLow && goHigh <= high
	case column.Float:
		return t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	case column.Text:
		return t.Kind() == reflect.String || writtenAsText(t) || t == timeType
	case column.Boolean:
		return t.Kind() == reflect.Bool
	case column.Binary:
		return t.Kind() == reflect.Slice
	}
	return false
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
		if t == nullTime || writtenAsText(t) { // whose zero value is bound as NULL
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

func (m *Model) compileRelation(rel *schema.Relation) (*relation, error) {
	if keysAlone(rel) {
		return nil, errors.New("no column refers to the other table, and its rows would be those with the same key: " +
			"say in the tag which columns do (join:own=other), or join:id=id if that is meant")
	}
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
	return r, nil
}

// keysAlone reports whether rel joins the keys of both sides and its tag does not say
// so: what bun makes of a relation whose column it does not find.
func keysAlone(rel *schema.Relation) bool {
	if rel.Field.Tag.HasOption("join") || rel.Type == schema.ManyToManyRelation {
		return false
	}
	return !slices.ContainsFunc(rel.BasePKs, func(f *schema.Field) bool { return !f.IsPK }) &&
		!slices.ContainsFunc(rel.JoinPKs, func(f *schema.Field) bool { return !f.IsPK }) &&
		slices.EqualFunc(rel.BasePKs, rel.JoinPKs, func(a, b *schema.Field) bool { return a.Name == b.Name })
}
