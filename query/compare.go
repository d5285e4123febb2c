package query

import (
	"database/sql/driver"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// Eq holds where e equals v. Eq(nil) holds where e is NULL, as Django's
// exact=None does, and so does Eq of a nil pointer or an invalid sql.Null.
func (e Expr) Eq(v any) Cond { return e.compare(ast.Eq, v) }

// Ne holds where Eq does not: for a v that is not nil that includes the rows in
// which e is NULL.
func (e Expr) Ne(v any) Cond { return e.compare(ast.Ne, v) }

// Lt holds where e is less than v.
func (e Expr) Lt(v any) Cond { return e.compare(ast.Lt, v) }

// Le holds where e is less than v or equal to it.
func (e Expr) Le(v any) Cond { return e.compare(ast.Le, v) }

// Gt holds where e is greater than v.
func (e Expr) Gt(v any) Cond { return e.compare(ast.Gt, v) }

// Ge holds where e is greater than v or equal to it.
func (e Expr) Ge(v any) Cond { return e.compare(ast.Ge, v) }

// Between holds where e lies between the two, both included.
func (e Expr) Between(low, high any) Cond { return And(e.Ge(low), e.Le(high)) }

// IsNull holds where e is NULL.
func (e Expr) IsNull() Cond { return e.Eq(nil) }

// IsNotNull holds where e is not NULL.
func (e Expr) IsNotNull() Cond { return e.Ne(nil) }

// In holds where e equals one of the values, given one by one, as one slice, or as a
// [Query] that puts out one value. It never holds for an empty list. A nil among
// values that are given stands for NULL.
func (e Expr) In(values ...any) Cond { return e.among(spread(values), false) }

// NotIn holds where In does not.
func (e Expr) NotIn(values ...any) Cond { return e.among(spread(values), true) }

func (e Expr) compare(op ast.Op, v any) Cond {
	return cond{ast.Comparison{Left: e.node, Op: op, Right: operand(v)}}
}

// among takes values for its own.
func (e Expr) among(values []any, negate bool) Cond {
	if len(values) == 1 {
		if q, ok := values[0].(Query); ok {
			return cond{ast.Among{Left: e.node, Of: tree(q), Negate: negate}}
		}
	}
	return cond{ast.Membership{Left: e.node, Values: operands(values), Negate: negate}}
}

// spread takes a single slice for the list of its elements. The list is the
// condition's own, and the caller may go on with theirs.
func spread(values []any) []any {
	values = slices.Clone(values)
	if len(values) != 1 || values[0] == nil {
		return values
	}
	v := reflect.ValueOf(values[0])
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return values
	}
	if _, speaks := values[0].(driver.Valuer); speaks || v.Type().Elem().Kind() == reflect.Uint8 {
		return values
	}
	list := make([]any, v.Len())
	for i := range list {
		list[i] = v.Index(i).Interface()
	}
	return list
}
