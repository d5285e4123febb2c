package render

import (
	"reflect"
)

// document binds a value as the JSON text that stands for it beside a JSON
// column: what is JSON already as it is, and else what the field would be
// written as.
func (k kind) document(v reflect.Value) (any, error) {
	v, null := pointedTo(v)
	if null {
		return nil, nil
	}
	t := v.Type()
	switch {
	case t == rawJSONType:
		return bindText(v)
	case speaks(t):
		bound, err := Bind(addressable(v).Addr().Interface())
		if b, ok := bound.([]byte); ok {
			bound = string(b)
		}
		if _, ok := bound.(string); !ok && bound != nil && err == nil {
			err = k.refuse(t, "")
		}
		return bound, err
	case k.field != nil && holdsText(k.field.IndirectType):
		if holdsText(t) {
			return bindText(v)
		}
	case k.field == nil && holdsText(t):
		return bindText(v)
	case k.field != nil && k.field.IndirectType.Kind() != reflect.Interface && !composite(t):
		return nil, k.refuse(t, "")
	}
	return bindJSON(v)
}

// holdsText reports whether JSON in a field of type t is text that the
// application has written.
func holdsText(t reflect.Type) bool {
	return t.Kind() == reflect.String || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}
