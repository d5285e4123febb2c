package render

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// Models knows the models of one database: bun's tables, with what this package
// adds to them. It is safe for use by several goroutines.
type Models struct {
	server   dialect.Server
	spelling *spelling
	schema   schema.Dialect
	known    sync.Map // reflect.Type → *Model, or error
	answers  sync.Map // the same, of what queries put out
	tables   sync.Mutex
	met      map[reflect.Type]bool // the structs that bun knows by what was asked of known; held by tables
	numbers  atomic.Int64
	shapes   shapes // of the statements that are kept
}

// NewModels returns the models of a database with this server and this dialect
// of bun's.
func NewModels(server dialect.Server, d schema.Dialect) (*Models, error) {
	sp, ok := spellings[server.Engine]
	if !ok {
		return nil, fmt.Errorf("query: unknown engine %q", server.Engine)
	}
	return &Models{server: server, spelling: sp, schema: d, met: map[reflect.Type]bool{}}, nil
}

// Of returns the model of a struct type. It returns an error for a type that is
// no struct, and for one whose tags bun or Holdfast cannot follow.
func (ms *Models) Of(t reflect.Type) (*Model, error) { return ms.of(&ms.known, t, false) }

// Answer is Of for a struct that holds what a query puts out. It stands for no table,
// whatever it is called.
func (ms *Models) Answer(t reflect.Type) (*Model, error) { return ms.of(&ms.answers, t, true) }

func (ms *Models) of(known *sync.Map, t reflect.Type, answer bool) (*Model, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if v, ok := known.Load(t); ok {
		return modelOrError(v)
	}
	m, err := ms.compile(t, answer)
	if errors.Is(err, errBetween) { // until its model is
		return nil, err
	}
	if err != nil {
		v, _ := known.LoadOrStore(t, err)
		return modelOrError(v)
	}
	v, _ := known.LoadOrStore(t, m)
	return modelOrError(v)
}

func modelOrError(v any) (*Model, error) {
	if err, ok := v.(error); ok {
		return nil, err
	}
	return v.(*Model), nil
}

// Model is a table and the struct that its rows are.
type Model struct {
	Type  reflect.Type
	Name  string // the struct's name, as errors give it
	Table *schema.Table
	// Fields are the columns in the order of the struct, PKs the primary key.
	Fields []*Field
	PKs    []*Field
	// Deleted is the column that says when a row was deleted, by the tag soft_delete;
	// nil: rows are deleted in the table.
	Deleted *Field

	models    *Models
	answer    bool  // of a query, and no table
	number    int64 // among those of the database
	columns   map[string]*Field
	relations []*relation
	list      string // the columns, qualified, as a SELECT names them
}

// Engine is that of the database.
func (m *Model) Engine() string { return m.models.server.Engine }

// Field is one column of a model.
type Field struct {
	*schema.Field
	Model *Model
	// Nullable is true if the Go type can hold NULL: a pointer, a slice, a map,
	// a Null type, or a field tagged nullzero.
	Nullable bool
	// ScanOnly is true if the column is read and never written: the server fills
	// it in. The tag scanonly says so (rule S22).
	ScanOnly bool
	// Column is what the column is: what the tag type says, and else what
	// CreateTables makes of the Go type.
	Column column.Type

	elem    *Field // what the elements of an array are, nil if they are not looked at
	number  int    // among those of the model
	bind    binder // of a row's field, to be stored
	bindOwn binder // of what the field is or points to, to be compared
}

// String is "Audio.updated_at".
func (f *Field) String() string { return f.Model.Name + "." + f.Name }

// Value returns the field's value in a row for the driver to bind. A zero value
// is NULL if the field is tagged nullzero.
func (f *Field) Value(row reflect.Value) (any, error) {
	fv, ok := fieldByIndex(row, f.Index)
	if !ok || f.NullZero && f.IsZero(fv) {
		return nil, nil
	}
	return f.valueOf(fv)
}

// Place is Value for where a row stands in an order: a zero in a column that cannot
// be NULL is none there either, whatever the field is tagged.
func (f *Field) Place(row reflect.Value) (any, error) {
	fv, ok := fieldByIndex(row, f.Index)
	if !ok || f.Nullable {
		return f.Value(row)
	}
	return f.valueOf(fv)
}

// Held is the value of a row that was read, of a column that is not NULL there: also a zero of
// a field tagged nullzero, and what the column would not be given, such as NaN.
func (f *Field) Held(row reflect.Value) (any, error) {
	fv, ok := fieldByIndex(row, f.Index)
	if !ok {
		return nil, nil
	}
	v, err := f.bind(fv)
	if err != nil {
		err = f.explain(err)
	}
	return v, err
}

func (f *Field) valueOf(fv reflect.Value) (any, error) {
	v, err := f.bind(fv)
	if err == nil {
		v, err = f.keep(v, f.StructField.Type)
	}
	if err != nil {
		err = f.explain(err)
	}
	return v, err
}

func (f *Field) explain(err error) error {
	var ve *query.ValueError
	if errors.As(err, &ve) && ve.Field == "" {
		ve.Field = f.String()
	}
	return err
}

// fieldByIndex is reflect's, and false where an embedded pointer is nil.
func fieldByIndex(v reflect.Value, index []int) (reflect.Value, bool) {
	for i, n := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v, true
}

// relation is a field that stands for rows of another table.
type relation struct {
	*schema.Relation
	name     string
	many     bool // has-many, many-to-many
	nullable bool // the other row may be missing
}

// Field returns the column of that name, or a *query.FieldError.
func (m *Model) Field(name string) (*Field, error) {
	if f, ok := m.columns[name]; ok {
		return f, nil
	}
	if r := m.relation(name); r != nil {
		return nil, &query.FieldError{Model: m.Name, Name: name, Reason: "is a relation, not a column; write " + name + ".column", Choices: m.choices()}
	}
	return nil, &query.FieldError{Model: m.Name, Name: name, Choices: m.choices()}
}

func (m *Model) relation(name string) *relation {
	for _, r := range m.relations {
		if r.name == name {
			return r
		}
	}
	return nil
}

// related is the relation of that name, or why there is none to follow.
func (m *Model) related(name string) (*relation, error) {
	r := m.relation(name)
	switch {
	case r == nil && m.columns[name] != nil:
		return nil, &query.FieldError{Model: m.Name, Name: name, Reason: "is a column, not a relation", Choices: m.relationNames()}
	case r == nil:
		return nil, &query.FieldError{Model: m.Name, Name: name, Choices: m.choices()}
	case len(r.Condition) > 0:
		return nil, &query.FieldError{Model: m.Name, Name: name, Reason: "is tagged join_on, which is not supported"}
	}
	return r, nil
}

func (m *Model) choices() []string {
	names := make([]string, 0, len(m.Fields)+len(m.relations))
	for _, f := range m.Fields {
		names = append(names, f.Name)
	}
	for _, r := range m.relations {
		names = append(names, r.name)
	}
	return names
}

// byIndex finds the column that is the struct field with this index.
func (m *Model) byIndex(index []int) *Field {
next:
	for _, f := range m.Fields {
		if len(f.Index) != len(index) {
			continue
		}
		for i := range index {
			if f.Index[i] != index[i] {
				continue next
			}
		}
		return f
	}
	return nil
}
