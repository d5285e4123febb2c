package orm

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/render"
)

// jsonScanner reads what is stored as JSON. A number in an any is a float64 if
// that is written back as the same number, and else a json.Number (rule S25): as a float64
// alone, 1499366092322157987 would be saved as another.
func jsonScanner(t reflect.Type) scanner {
	decode := decoder(t)
	return func(dst reflect.Value, src driver.Value) error {
		dst.SetZero() // JSON is merged into what is there
		switch src := src.(type) {
		case nil:
			return nil
		case []byte:
			return decode(dst, src)
		case string:
			return decode(dst, []byte(src))
		}
		return errType
	}
}

func decoder(t reflect.Type) func(dst reflect.Value, src []byte) error {
	if !holdsAny(t, map[reflect.Type]bool{}) {
		return func(dst reflect.Value, src []byte) error { return json.Unmarshal(src, dst.Addr().Interface()) }
	}
	return func(dst reflect.Value, src []byte) error {
		d := json.NewDecoder(bytes.NewReader(src))
		d.UseNumber()
		if err := d.Decode(dst.Addr().Interface()); err != nil {
			return err
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return errTrailing
		}
		exactNumbers(dst)
		return nil
	}
}

var (
	errTrailing     = errors.New("JSON with something behind it")
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
)

// holdsAny reports whether there may be an any in a value of type t that
// encoding/json fills in.
func holdsAny(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || reflect.PointerTo(t).Implements(unmarshalerType) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsAny(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && holdsAny(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// exactNumbers turns the json.Numbers in the anys of v into float64s where they
// survive it.
func exactNumbers(v reflect.Value) {
	if !v.IsValid() || v.CanAddr() && v.Addr().Type().Implements(unmarshalerType) {
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() && v.CanSet() && v.NumMethod() == 0 {
			v.Set(reflect.ValueOf(exactValue(v.Interface())))
		}
	case reflect.Pointer:
		exactNumbers(v.Elem())
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			exactNumbers(v.Index(i))
		}
	case reflect.Map:
		exactMap(v)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
				exactNumbers(v.Field(i))
			}
		}
	}
}

// exactMap: what is in a map has no address.
func exactMap(m reflect.Value) {
	if !holdsAny(m.Type().Elem(), map[reflect.Type]bool{}) {
		return
	}
	for it := m.MapRange(); it.Next(); {
		if it.Value().Kind() == reflect.Interface && it.Value().IsNil() {
			continue
		}
		elem := reflect.New(m.Type().Elem()).Elem()
		elem.Set(it.Value())
		exactNumbers(elem)
		m.SetMapIndex(it.Key(), elem)
	}
}

// exactValue is exactNumbers for what encoding/json makes in an any.
func exactValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, ok := render.ExactFloat(v); ok {
			return f
		}
	case []any:
		for i := range v {
			v[i] = exactValue(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = exactValue(v[k])
		}
	}
	return v
}

// scanAnyJSON decodes what was encoded when it was bound.
var anyJSON = jsonScanner(anyType)

func scanAnyJSON(dst reflect.Value, src driver.Value) error {
	switch src.(type) {
	case []byte, string:
		return anyJSON(dst, src)
	}
	dst.SetZero()
	return scanAny(dst, src)
}
