package render

import (
	"reflect"
	"slices"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/internal/column"
)

// Element is what the elements of a column of arrays are, as a column of its own; nil where
// they are not looked at one by one: those of a list that speaks for itself, and lists.
func (f *Field) Element() *Field { return f.elem }

func (f *Field) element() *Field {
	list := f.IndirectType
	if f.Column.Kind != column.Array || f.Column.Elem == nil || speaks(list) || !isList(list) || nested(f.Column, list) {
		return nil
	}
	of := list.Elem()
	indirect := of
	if of.Kind() == reflect.Pointer {
		indirect = of.Elem()
	}
	return &Field{
		Field: &schema.Field{
			StructField: reflect.StructField{Name: f.StructField.Name, Type: of}, IndirectType: indirect,
			Name: f.Name, SQLName: f.SQLName, GoName: f.GoName, Scan: schema.Scanner(of),
		},
		Model: f.Model, ScanOnly: f.ScanOnly, Column: *f.Column.Elem,
	}
}

// isList reports whether values of t are lists, and not bytes.
func isList(t reflect.Type) bool {
	return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() != reflect.Uint8
}

// nested reports whether the elements of a list are lists, of an array of several dimensions.
func nested(array column.Type, list reflect.Type) bool {
	return array.Elem.Kind != column.JSON && composite(base(list.Elem()))
}

// bindList binds a list of what f is.
func (f *Field) bindList(list reflect.Value) (any, error) {
	if list.Kind() == reflect.Slice && list.IsNil() {
		return nil, nil
	}
	return eachElement(list, func(v reflect.Value) (any, error) {
		bound, err := f.bind(v)
		if err != nil {
			return nil, err
		}
		return kind{f.Column, f}.driven(bound, f.StructField.Type)
	})
}

// eachElement is the list of what do makes of the elements of one, in a type that
// PostgreSQL's driver knows, whatever theirs is.
func eachElement(v reflect.Value, do binder) (any, error) {
	list := make([]any, v.Len())
	for i := range list {
		var err error
		if list[i], err = do(v.Index(i)); err != nil {
			return nil, err
		}
	}
	first := slices.IndexFunc(list, func(v any) bool { return v != nil })
	if first < 0 {
		return withNULL[string](list), nil
	}
	var array any
	switch list[first].(type) {
	case string:
		array = withNULL[string](list)
	case int64:
		array = withNULL[int64](list)
	case float64:
		array = withNULL[float64](list)
	case bool:
		array = withNULL[bool](list)
	case []byte:
		array = withNULL[[]byte](list)
	case time.Time:
		array = withNULL[time.Time](list)
	}
	if array == nil { // numbers of several types
		return list, nil
	}
	return array, nil
}

// withNULL is typed for a list in which NULL may be, for which pointers stand then.
func withNULL[T any](list []any) any {
	if !slices.ContainsFunc(list, func(v any) bool { return v == nil }) {
		return typed[T](list)
	}
	array := make([]*T, len(list))
	for i, v := range list {
		if v == nil {
			continue
		}
		one, ok := v.(T)
		if !ok {
			return nil
		}
		array[i] = &one
	}
	return array
}

// bound is an element of what eachElement returns.
func bound(v reflect.Value) any {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	return v.Interface()
}

// keepAll is keep for each element of a list, of which f is one.
func (f *Field) keepAll(list any) (any, error) {
	return eachElement(reflect.ValueOf(list), func(v reflect.Value) (any, error) { return f.keep(bound(v), f.StructField.Type) })
}

// list is what is bound for a list of any type beside an array.
func (k kind) list(v reflect.Value) (any, error) {
	if k.Elem == nil || nested(k.Type, v.Type()) {
		return v.Interface(), nil
	}
	of := kind{Type: *k.Elem}
	if k.field != nil {
		of.field = k.field.elem
	}
	return eachElement(v, func(v reflect.Value) (any, error) {
		bound, err := of.value(v.Interface())
		if err != nil || bound == nil {
			return nil, err
		}
		if bound, err = of.stored(bound, v.Type()); err != nil {
			return nil, err
		}
		return of.driven(bound, v.Type())
	})
}

// driven is a number that becomes an element of an array. The driver makes one of the
// array's type of it: no other may come out of that.
func (k kind) driven(bound any, t reflect.Type) (any, error) {
	if f, isFloat := bound.(float64); isFloat && k.narrowed(f) {
		return nil, k.refuse(t, tooFine)
	}
	return bound, nil
}
