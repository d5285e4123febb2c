package orm

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strings"

	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
)

// resultReader puts the columns of a result into values of a type of the
// application's: a struct, or a single value.
type resultReader struct {
	engine  string
	name    string // of the type, for errors
	model   *render.Model
	single  bool
	columns []resultColumn // nil until the result is known
}

type resultColumn struct {
	field *render.Field
	scan  scanner
}

// resultsOf is the reader for R. A single value is read like the only field of a
// struct.
func resultsOf[R any](db *DB) (*resultReader, error) {
	if db == nil {
		return nil, errNoDatabase
	}
	t := reflect.TypeFor[R]()
	r := &resultReader{engine: db.Server().Engine, name: t.String(), single: !written(t)}
	if t.Kind() == reflect.Pointer && written(t.Elem()) {
		return nil, fmt.Errorf("rows are read into %s, and not into pointers to it", t.Elem())
	}
	if r.single {
		t = reflect.StructOf([]reflect.StructField{{Name: "Value", Type: t}})
	}
	m, err := db.models.Answer(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	r.model = m
	return r, nil
}

// readerOf is the reader of what a query puts out.
func readerOf[R any](db *DB, put *render.Outputs) (*resultReader, error) {
	r, err := put.Into(reflect.TypeFor[R](), func(list []render.Output) (any, error) {
		r, err := resultsOf[R](db)
		if err == nil {
			err = r.match(list)
		}
		return r, err
	})
	if err != nil {
		return nil, err
	}
	return r.(*resultReader), nil
}

// match finds the fields for what a query puts out.
func (r *resultReader) match(put []render.Output) error {
	names := make([]string, len(put))
	for i, o := range put {
		names[i] = o.Name
	}
	fields, err := r.fields(names)
	if err != nil {
		return err
	}
	for i, o := range put {
		f, err := o.Into(fields[i])
		if err != nil {
			return err
		}
		r.columns = append(r.columns, resultColumn{f, sentScanner(r.engine, f)})
	}
	return nil
}

// matchRows finds the fields for the columns of a result, of which nothing is known but
// what the server says.
func (r *resultReader) matchRows(rows driver.Rows) error {
	names := rows.Columns()
	if r.columns != nil {
		if len(names) != len(r.columns) {
			return fmt.Errorf("the server returned %d columns instead of %d", len(names), len(r.columns))
		}
		return nil
	}
	fields, err := r.fields(names)
	if err != nil {
		return err
	}
	for i, f := range fields {
		scan := sentScanner(r.engine, f)
		if f.Column.Kind != column.Array { // else its tags say what the elements are
			scan = arrayOr(typeOf(r.engine, rows, i), f.StructField.Type, scan)
		}
		r.columns = append(r.columns, resultColumn{f, scan})
	}
	return nil
}

// fields are those of the struct for names, in their order: each name has one, and no
// field is left.
func (r *resultReader) fields(names []string) ([]*render.Field, error) {
	if r.single {
		if len(names) != 1 {
			return nil, fmt.Errorf("%s is a single value, and the query puts out %d: %s", r.name, len(names), strings.Join(names, ", "))
		}
		return r.model.Fields, nil
	}
	list := make([]*render.Field, 0, len(names))
	used := map[*render.Field]bool{}
	var extra, missing, unnamed []string
	for i, name := range names {
		f, err := r.model.Field(name)
		switch {
		case name == "":
			unnamed = append(unnamed, fmt.Sprintf("number %d", i+1))
		case err != nil:
			extra = append(extra, name)
		case used[f]:
			return nil, fmt.Errorf("the query puts out %s twice", name)
		default:
			used[f] = true
			list = append(list, f)
		}
	}
	for _, f := range r.model.Fields {
		if !used[f] {
			missing = append(missing, f.Name)
		}
	}
	var wrong []string
	add := func(what string, names []string) {
		if len(names) > 0 {
			wrong = append(wrong, what+" "+strings.Join(names, ", "))
		}
	}
	add("it has no field for", extra)
	add("the query does not put out", missing)
	add("without a name (As) is output", unnamed)
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s does not fit the query: %s", r.name, strings.Join(wrong, "; "))
	}
	return list, nil
}

// into scans a row into what dst points to.
func (r *resultReader) into(dst any, values []driver.Value) error {
	row := reflect.ValueOf(dst).Elem()
	for i, c := range r.columns {
		at := row
		if !r.single {
			at = c.field.Field.Value(row)
		}
		if err := c.scan(at, values[i]); err != nil {
			name := c.field.Name
			if r.single {
				name = "the result"
			}
			return explain(name, at.Type(), values[i], err)
		}
	}
	return nil
}
