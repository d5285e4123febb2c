package render

import (
	"math"
	"math/big"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// verdict is what is known of a comparison before anything is sent.
type verdict uint8

const (
	open     verdict = iota // the server has to look
	holds                   // for every value but NULL
	holdsNot                // for no value
)

// number decides how a number is compared with something of kind k: exactly, by
// values that each engine compares alike. An engine of its own accord makes both
// sides floating-point numbers, or decimals, or neither, and beyond 2^53 they
// are not the same.
func (k kind) number(op ast.Op, bound any) (ast.Op, any, verdict) {
	switch k.Kind {
	case column.Integer:
		return k.listedNumber(k.whole(op, bound))
	case column.Float:
		return k.listedNumber(floating(op, bound))
	}
	return op, bound, open
}

// whole compares an integer with any number: n < 1.5 is n <= 1.
func (k kind) whole(op ast.Op, bound any) (ast.Op, any, verdict) {
	var r *big.Rat
	switch b := bound.(type) {
	case int64:
		return op, bound, open
	case uint64:
		if k.Unsigned && k.Bits == 64 {
			return op, bound, open
		}
		return op, nil, beyond(op, 1)
	case float64:
		if math.IsInf(b, 0) {
			return op, nil, beyond(op, int(math.Copysign(1, b)))
		}
		r = new(big.Rat).SetFloat64(b)
	case string:
		r, _ = new(big.Rat).SetString(b)
	}
	if r == nil { // NaN, which the drivers refuse
		return op, bound, open
	}
	n := new(big.Int).Set(r.Num())
	if !r.IsInt() {
		switch op {
		case ast.Eq:
			return op, nil, holdsNot
		case ast.Ne:
			return op, nil, holds
		}
		n.Div(r.Num(), r.Denom()) // rounds down: the denominator is positive
		if op == ast.Lt || op == ast.Le {
			op = ast.Le
		} else {
			op, n = ast.Ge, n.Add(n, big.NewInt(1))
		}
	}
	switch {
	case n.IsInt64():
		return op, n.Int64(), open
	case n.IsUint64():
		return k.whole(op, n.Uint64())
	}
	return op, nil, beyond(op, n.Sign())
}

// beyond is the outcome of a comparison with what is greater (sign 1) or less
// than every value.
func beyond(op ast.Op, sign int) verdict {
	switch {
	case op == ast.Ne, sign > 0 && (op == ast.Lt || op == ast.Le), sign < 0 && (op == ast.Gt || op == ast.Ge):
		return holds
	}
	return holdsNot
}

// floating compares a floating-point number with any number. A whole number that
// has no such counterpart lies between two that have.
func floating(op ast.Op, bound any) (ast.Op, any, verdict) {
	var n *big.Int
	switch b := bound.(type) {
	case int64:
		n = big.NewInt(b)
	case uint64:
		n = new(big.Int).SetUint64(b)
	default:
		return op, bound, open
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	switch at, _ := big.NewFloat(f).Int(nil); at.Cmp(n) {
	case 0:
		if !n.IsInt64() { // which drivers do not send
			bound = f
		}
		return op, bound, open
	case 1: // f is the next above, else the next below
		if op == ast.Lt || op == ast.Le {
			f = math.Nextafter(f, math.Inf(-1))
		}
	default:
		if op == ast.Gt || op == ast.Ge {
			f = math.Nextafter(f, math.Inf(1))
		}
	}
	switch op {
	case ast.Eq:
		return op, nil, holdsNot
	case ast.Ne:
		return op, nil, holds
	case ast.Lt, ast.Le:
		return ast.Le, f, open
	}
	return ast.Ge, f, open
}

// stored is a number as a column of kind k keeps it, or an error if it keeps
// another.
func (k kind) stored(bound any, t reflect.Type) (any, error) {
	switch k.Kind {
	case column.Integer:
		_, whole, v := k.whole(ast.Eq, bound)
		if _, large := bound.(uint64); v != open && large {
			return nil, k.refuse(t, outOfRange)
		} else if v != open {
			return nil, k.refuse(t, notWhole)
		}
		low, high := k.bounds()
		switch n := whole.(type) {
		case int64:
			if n >= low && (n < 0 || uint64(n) <= high) {
				return n, nil
			}
		case uint64:
			if n <= high {
				return n, nil
			}
		}
		return nil, k.refuse(t, outOfRange)
	case column.Float:
		_, exact, v := floating(ast.Eq, bound)
		if f, ok := exact.(float64); ok && k.field != nil && k.field.IndirectType.Kind() == reflect.Float32 && math.Abs(f) > math.MaxFloat32 && !math.IsInf(f, 0) {
			return nil, k.refuse(t, outOfRange)
		}
		if v == open {
			return exact, nil
		}
		return nil, k.refuse(t, "has more digits than the column can hold")
	}
	return bound, nil
}

const (
	notWhole   = "is no whole number that the column can hold: round it first"
	outOfRange = "is out of the range of the column, or of its field"
)

// bounds are the least and the greatest integer that the column holds and the
// field can be read back from.
func (k kind) bounds() (low int64, high uint64) {
	low, high = k.Range()
	if k.field == nil {
		return low, high
	}
	goLow, goHigh := goRange(k.field.IndirectType)
	return max(low, goLow), min(high, goHigh)
}

// goRange is what a Go type holds; everything if it is no integer, or speaks for
// itself.
func goRange(t reflect.Type) (low int64, high uint64) {
	if !speaks(t) {
		switch {
		case reflect.Int <= t.Kind() && t.Kind() <= reflect.Int64:
			return math.MinInt64 >> (64 - t.Bits()), math.MaxInt64 >> (64 - t.Bits())
		case reflect.Uint <= t.Kind() && t.Kind() <= reflect.Uint64:
			return 0, math.MaxUint64 >> (64 - t.Bits())
		}
	}
	return math.MinInt64, math.MaxUint64
}
