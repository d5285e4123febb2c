package query

import (
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// TypedColumn is a column of the model M whose values are of type V. The
// compiler checks what it is compared with (rule S3). A TypedColumn is made once
// and used in any number of statements, by any number of goroutines.
type TypedColumn[M, V any] struct{ member *ast.Member }

// Column finds the column behind a struct field:
//
//	var UpdatedAt = query.Column(func(a *Audio) *time.Time { return &a.UpdatedAt })
//	var ProjectName = query.Column(func(a *Audio) *string { return &a.Project.Name })
//
// field must return the address of a field of its argument, or of a field of a
// related model that its argument points to, up to two relations away. A
// function that does not is reported when a statement with the column is
// rendered. Column calls field once.
func Column[M, V any](field func(*M) *V) TypedColumn[M, V] {
	m := &ast.Member{Model: reflect.TypeFor[M]()}
	m.Path, m.Index, m.Err = locate(field)
	return TypedColumn[M, V]{m}
}

// Node is for the library's own packages: a seam, without promises.
func (c TypedColumn[M, V]) Node() ast.Node {
	if c.member == nil { // no Column made it
		return nil
	}
	return c.member
}

// Expr is the column as an expression, for what V says nothing about:
// arithmetic, patterns, comparison with another column.
func (c TypedColumn[M, V]) Expr() Expr { return Expr{c.Node()} }

// Eq holds where the column equals v.
func (c TypedColumn[M, V]) Eq(v V) Cond { return c.Expr().Eq(v) }

// Ne holds where the column does not equal v, also where it is NULL.
func (c TypedColumn[M, V]) Ne(v V) Cond { return c.Expr().Ne(v) }

// Lt holds where the column is less than v.
func (c TypedColumn[M, V]) Lt(v V) Cond { return c.Expr().Lt(v) }

// Le holds where the column is less than v or equal to it.
func (c TypedColumn[M, V]) Le(v V) Cond { return c.Expr().Le(v) }

// Gt holds where the column is greater than v.
func (c TypedColumn[M, V]) Gt(v V) Cond { return c.Expr().Gt(v) }

// Ge holds where the column is greater than v or equal to it.
func (c TypedColumn[M, V]) Ge(v V) Cond { return c.Expr().Ge(v) }

// Between holds where the column lies between the two, both included.
func (c TypedColumn[M, V]) Between(low, high V) Cond { return c.Expr().Between(low, high) }

// In holds where the column equals one of the values, and never without any.
func (c TypedColumn[M, V]) In(values ...V) Cond { return c.Expr().among(anys(values), false) }

// NotIn holds where In does not.
func (c TypedColumn[M, V]) NotIn(values ...V) Cond { return c.Expr().among(anys(values), true) }

// IsNull holds where the column is NULL.
func (c TypedColumn[M, V]) IsNull() Cond { return c.Expr().IsNull() }

// IsNotNull holds where the column is not NULL.
func (c TypedColumn[M, V]) IsNotNull() Cond { return c.Expr().IsNotNull() }

// Asc orders by the column, NULL and small values first.
func (c TypedColumn[M, V]) Asc() Order { return c.Expr().Asc() }

// Desc orders by the column, large values first and NULL last.
func (c TypedColumn[M, V]) Desc() Order { return c.Expr().Desc() }

// Set assigns v to the column.
func (c TypedColumn[M, V]) Set(v V) Assignment { return assign(c.Node(), v) }

// SetExpr assigns what the server computes.
func (c TypedColumn[M, V]) SetExpr(e Operand) Assignment { return assign(c.Node(), e) }

func anys[V any](values []V) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// relationsAway is how many relations a typed column may lead over.
const relationsAway = 2

// locate calls field with a struct whose pointers to other structs are all
// set, and looks for the address that it returns.
func locate[M, V any](field func(*M) *V) (path []string, index []int, err error) {
	model := reflect.TypeFor[M]()
	if model.Kind() != reflect.Struct {
		return nil, nil, fmt.Errorf("query.Column: a model is a struct, not %s", model)
	}
	defer func() {
		if p := recover(); p != nil {
			path, index, err = nil, nil, fmt.Errorf("query.Column: the function for %s panics: %v", model, p)
		}
	}()
	probe := new(M)
	v := reflect.ValueOf(probe).Elem()
	populate(v, relationsAway)
	at := field(probe)
	if at == nil {
		return nil, nil, fmt.Errorf("query.Column: the function for %s returns nil", model)
	}
	path, index, ok := search(v, unsafe.Pointer(at), reflect.TypeFor[V](), nil)
	if !ok {
		return nil, nil, fmt.Errorf("query.Column: the function for %s does not return the address of one of its fields", model)
	}
	return path, index, nil
}

// populate sets the pointers to structs in v, which may be relations.
func populate(v reflect.Value, depth int) {
	for i := range v.NumField() {
		f, sf := v.Field(i), v.Type().Field(i)
		switch {
		case !sf.IsExported() && !sf.Anonymous:
		case sf.Type.Kind() == reflect.Struct && sf.Anonymous:
			populate(f, depth)
		case f.CanSet() && depth > 0 && sf.Type.Kind() == reflect.Pointer && sf.Type.Elem().Kind() == reflect.Struct:
			f.Set(reflect.New(sf.Type.Elem()))
			if sf.Anonymous {
				populate(f.Elem(), depth)
			} else {
				populate(f.Elem(), depth-1)
			}
		}
	}
}

// search looks for the field of type t at address at. path has the fields that
// are pointers on the way, index the way from the last of them.
func search(v reflect.Value, at unsafe.Pointer, t reflect.Type, path []string) ([]string, []int, bool) {
	for i := range v.NumField() {
		f, sf := v.Field(i), v.Type().Field(i)
		if f.CanAddr() && f.Addr().UnsafePointer() == at && sf.Type == t {
			return path, []int{i}, true
		}
		switch {
		case sf.Type.Kind() == reflect.Struct && sf.Type != reflect.TypeFor[time.Time]() && (sf.IsExported() || sf.Anonymous):
			if p, index, ok := search(f, at, t, path); ok {
				return p, append([]int{i}, index...), true
			}
		case sf.Type.Kind() == reflect.Pointer && sf.Type.Elem().Kind() == reflect.Struct && !f.IsNil() && sf.Anonymous:
			if p, index, ok := search(f.Elem(), at, t, path); ok {
				return p, append([]int{i}, index...), true
			}
		case sf.Type.Kind() == reflect.Pointer && sf.Type.Elem().Kind() == reflect.Struct && sf.IsExported() && !f.IsNil():
			if p, index, ok := search(f.Elem(), at, t, append(path[:len(path):len(path)], sf.Name)); ok {
				return p, index, true
			}
		}
	}
	return nil, nil, false
}
