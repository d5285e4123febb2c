package orm

import "reflect"

// What the methods of a set ask of a pointer to a row, whose type they do not name.

func isNil[P any](row P) bool { return reflect.ValueOf(row).IsNil() }

// put writes what one row holds over another.
func put[P any](into, from P) { reflect.ValueOf(into).Elem().Set(reflect.ValueOf(from).Elem()) }

// held is a copy of what rows hold, to be restored.
func held[P any](rows ...P) reflect.Value {
	copies := reflect.MakeSlice(reflect.SliceOf(reflect.TypeFor[P]().Elem()), len(rows), len(rows))
	for i, row := range rows {
		copies.Index(i).Set(reflect.ValueOf(row).Elem())
	}
	return copies
}

func restore[P any](copies reflect.Value, rows ...P) {
	for i, row := range rows {
		reflect.ValueOf(row).Elem().Set(copies.Index(i))
	}
}
