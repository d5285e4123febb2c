package orm

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
)

// reader puts the columns of a model into its struct.
type reader struct {
	model *render.Model
	scan  []scanner // by the order of the model's fields
	keys  []int     // which of them are the primary key
	err   error     // why rows of the model can be joined, but not looked after

	own   []*render.Field // what Save writes of a row
	alone rowReader       // of rows of the model, with nothing joined to it

	created, updated, version *render.Field // what the library looks after; nil if the model has none
}

func (db *DB) reader(m *render.Model) *reader {
	if r, ok := db.readers.Load(m); ok {
		return r.(*reader)
	}
	r := &reader{model: m, err: checkMixins(m.Type, m.Type)}
	if r.err == nil {
		r.err = r.findMixins()
	}
	for i, f := range m.Fields {
		r.scan = append(r.scan, sentScanner(db.Server().Engine, f))
		if f.IsPK {
			r.keys = append(r.keys, i)
		} else if !f.ScanOnly && !r.stays(f) {
			r.own = append(r.own, f)
		}
	}
	r.alone = rowReader{root: r, width: len(m.Fields)}
	kept, _ := db.readers.LoadOrStore(m, r)
	return kept.(*reader)
}

// stays reports whether a column is written once, with a new row: over a row that is
// there only by whoever names it.
func (r *reader) stays(f *render.Field) bool { return f == r.created || f.SkipUpdate() }

// scanField puts what the server has sent for a column into its field.
func (r *reader) scanField(f *render.Field, row reflect.Value, sent driver.Value) error {
	dst := f.Field.Value(row)
	if err := r.scan[slices.Index(r.model.Fields, f)](dst, sent); err != nil {
		return explain(f.String(), dst.Type(), sent, err)
	}
	return nil
}

// sentScanner is fieldScanner for what the server sends.
func sentScanner(engine string, f *render.Field) scanner {
	scan := fieldScanner(f)
	if engine != dialect.SQLite || !holdsText(f) {
		return scan
	}
	return func(dst reflect.Value, src driver.Value) error {
		if at, ok := src.(time.Time); ok {
			src = textOf(at)
		}
		return scan(dst, src)
	}
}

// holdsText reports whether a field holds a text, and never a time or a part of one.
func holdsText(f *render.Field) bool {
	switch {
	case f.Column.Kind.Time():
		return false
	case f.Column.Kind == column.Text, f.Column.Kind == column.Binary:
		return true
	}
	return f.IndirectType.Kind() == reflect.String || f.IndirectType.Kind() == reflect.Slice
}

func fieldScanner(f *render.Field) scanner {
	if f.Column.Kind == column.Array && elements(f.IndirectType) {
		return arrayField(f)
	}
	if f.Tag.HasOption("json_use_number") {
		return func(dst reflect.Value, src driver.Value) error { return f.Scan(dst, src) }
	}
	scan := scannerOf(f.StructField.Type, f.Scan)
	switch {
	case f.StructField.Type == anyType && f.Column.Kind == column.JSON:
		scan = scanAnyJSON
	case f.Column.Kind.Time() && f.IndirectType.Kind() == reflect.String:
		scan = daily(f.Column.Kind, scan)
	case f.Column.Kind == column.Text && f.Column.Fixed:
		scan = withoutBlanks(scan)
	}
	if f.Column.Kind == column.JSON && reflect.PointerTo(f.IndirectType).Implements(sqlScanner) {
		scan = asBytes(scan)
	}
	if f.NullZero {
		return orZero(scan)
	}
	return scan
}

// daily reads a date, or a time of day, as the text that it is written as.
func daily(k column.Kind, scan scanner) scanner {
	return func(dst reflect.Value, src driver.Value) error {
		switch v := src.(type) {
		case time.Time:
			if src = v.Format("15:04:05.999999"); k == column.Date {
				src = v.Format(time.DateOnly)
			}
		case []byte:
			src = withoutZeros(k, string(v))
		case string:
			src = withoutZeros(k, v)
		}
		return scan(dst, src)
	}
}

// withoutBlanks reads a text as it was before PostgreSQL filled it up to the
// length of a column of type CHAR.
func withoutBlanks(scan scanner) scanner {
	return func(dst reflect.Value, src driver.Value) error {
		switch v := src.(type) {
		case string:
			src = strings.TrimRight(v, " ")
		case []byte:
			src = bytes.TrimRight(v, " ")
		}
		return scan(dst, src)
	}
}

// withoutZeros: 15:04:05.500000 is 15:04:05.5.
func withoutZeros(k column.Kind, s string) string {
	if k == column.TimeOfDay && strings.Contains(s, ".") {
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// into scans values, one for each field of the model.
func (r *reader) into(row reflect.Value, values []driver.Value) error {
	for i, f := range r.model.Fields {
		if err := r.field(row, i, f, values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) field(row reflect.Value, i int, f *render.Field, src driver.Value) error {
	dst := f.Field.Value(row)
	if err := r.scan[i](dst, src); err != nil {
		return explain(f.String(), dst.Type(), src, err)
	}
	return nil
}

// missing reports whether the values are those of a LEFT JOIN that found no
// row.
func (r *reader) missing(values []driver.Value) bool {
	if len(r.keys) == 0 {
		for _, v := range values {
			if v != nil {
				return false
			}
		}
		return true
	}
	for _, i := range r.keys {
		if values[i] == nil {
			return true
		}
	}
	return false
}

// rowReader reads the rows of one query: a model and the relations joined to
// it.
type rowReader struct {
	root  *reader
	joins []joined
	width int

	places []int                                                // the fields by which a page goes on, and which may be NULL
	seen   func(row reflect.Value, values []driver.Value) error // looks at each row as it was sent; nil: nobody does
}

type joined struct {
	*render.Join
	reader *reader
	first  int // its first column
	parent int // in joins; -1: the root
}

func (db *DB) rowReader(m *render.Model, joins []*render.Join) *rowReader {
	if len(joins) == 0 {
		return &db.reader(m).alone
	}
	r := &rowReader{root: db.reader(m), width: len(m.Fields)}
	for _, j := range joins {
		parent := -1
		for i, have := range r.joins {
			if have.Join == j.Parent {
				parent = i
			}
		}
		r.joins = append(r.joins, joined{Join: j, reader: db.reader(j.Model), first: r.width, parent: parent})
		r.width += len(j.Model.Fields)
	}
	return r
}

// into scans one row into a struct and the related structs that it points to.
func (r *rowReader) into(row reflect.Value, values []driver.Value) error {
	if err := r.root.into(row, values[:len(r.root.model.Fields)]); err != nil {
		return err
	}
	if err := havePlaces(r.places, r.root.model, row, values); err != nil {
		return err
	}
	if r.seen != nil {
		if err := r.seen(row, values); err != nil {
			return err
		}
	}
	if len(r.joins) == 0 {
		return nil
	}
	at := make([]reflect.Value, len(r.joins))
	for i, j := range r.joins {
		base := row
		if j.parent >= 0 {
			if base = at[j.parent]; !base.IsValid() {
				continue // there is nothing to hold it
			}
		}
		field := fieldAt(base, j.Field)
		values := values[j.first : j.first+len(j.Model.Fields)]
		if j.Nullable && j.reader.missing(values) {
			field.SetZero()
			continue
		}
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		if err := j.reader.into(field, values); err != nil {
			return err
		}
		at[i] = field
	}
	return nil
}

// fieldAt is the struct field that holds a relation.
func fieldAt(row reflect.Value, f *schema.Field) reflect.Value { return f.Value(row) }

// each calls yield with every row, a new struct each, until it returns false.
func (r *rowReader) each(rows driver.Rows, yield func(row reflect.Value) bool) error {
	if n := len(rows.Columns()); n != r.width {
		return fmt.Errorf("the server returned %d columns instead of %d", n, r.width)
	}
	values := make([]driver.Value, r.width)
	for {
		if more, err := next(rows, values); !more {
			return err
		}
		row := reflect.New(r.root.model.Type)
		if err := r.into(row.Elem(), values); err != nil {
			return err
		}
		if !yield(row) {
			return nil
		}
	}
}

// next reads a row into values; it is false after the last one, and after an error.
func next(rows driver.Rows, values []driver.Value) (bool, error) {
	err := rows.Next(values)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}
