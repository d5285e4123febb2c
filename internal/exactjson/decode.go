// Package exactjson reads JSON whose numbers stay the numbers that they are (rule S25), which
// encoding/json does not see to in an any.
package exactjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
)

// Decoder returns what decodes a document into an addressable value of type t.
func Decoder(t reflect.Type) func(dst reflect.Value, src []byte) error {
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
		if f, ok := Float(v); ok {
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
