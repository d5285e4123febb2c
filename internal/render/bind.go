package render

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// Bind turns a Go value into one that every driver accepts: int64, float64,
// bool, string, []byte, time.Time, nil, or uint64 where it is too large for
// int64.
//
// Times become UTC with a precision of a microsecond, which is what the engines
// keep: the rest is cut off here, and not rounded in a way of its own by each
// server. A driver.Valuer speaks for itself. Maps, structs, slices and arrays
// that do not are bound as JSON text.
func Bind(v any) (any, error) {
	bound, err := bindZoned(v)
	return inUTC(bound), err
}

// inUTC is v, in UTC if it is a time.
func inUTC(v any) any {
	if t, ok := v.(time.Time); ok && t.Location() != time.UTC {
		return t.UTC()
	}
	return v
}

// bindZoned leaves times in the zone in which they are written, which tells the
// day.
func bindZoned(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool, int64, float64, string:
		return v, nil
	case int:
		return int64(v), nil
	case time.Time:
		return v.Truncate(time.Microsecond), nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return v, nil
	case sql.NamedArg:
		inner, err := Bind(v.Value)
		v.Value = inner
		return v, err
	case ast.Operand, interface{ Node() ast.Assignment }, interface{ Node() ast.Order }:
		return nil, notAValue(fmt.Sprintf("%T", v))
	case ast.Condition:
		return nil, notAValue("query.Cond")
	case schema.QueryAppender: // bun.In and its like; some are values too
		if _, speaks := v.(driver.Valuer); !speaks && reflect.TypeOf(v) != nullTime {
			return nil, notAValue(fmt.Sprintf("%T", v))
		}
	}
	rv := reflect.ValueOf(v)
	return binderOf(rv.Type())(rv)
}

// notAValue refuses what has no exported fields, and would be bound as the JSON
// text {}.
func notAValue(name string) error {
	return &query.ValueError{Type: name, Reason: "is a part of a statement and not a value"}
}

// BindArgument is Bind for an argument of a statement written by hand, where no
// column tells what a list is meant for. As the text [1,2] it would equal
// nothing, so that NOT IN (?) held for every row: it is refused.
func BindArgument(v any) (any, error) {
	if named, ok := v.(sql.NamedArg); ok {
		inner, err := BindArgument(named.Value)
		named.Value = inner
		return named, err
	}
	if v == nil {
		return nil, nil
	}
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer && !t.Implements(valuerType) {
		t = t.Elem()
	}
	if k := t.Kind(); (k == reflect.Slice || k == reflect.Array) && composite(t) {
		return nil, &query.ValueError{Type: reflect.TypeOf(v).String(),
			Reason: "is a list, which one ? does not stand for: write a ? for each element, or filter with In; as JSON, marshal it first"}
	}
	return Bind(v)
}

func wireTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// bindInstant binds a time where its zone does not matter.
func bindInstant(v reflect.Value) (any, error) {
	if v.CanAddr() { // a row's field: not copied to the heap first
		return wireTime(*v.Addr().Interface().(*time.Time)), nil
	}
	return wireTime(v.Interface().(time.Time)), nil
}

// binder turns the value of a field into one for the driver.
type binder func(reflect.Value) (any, error)

var (
	rawJSONType = reflect.TypeFor[json.RawMessage]()
	ipType      = reflect.TypeFor[net.IP]()
	ipNetType   = reflect.TypeFor[net.IPNet]()
	addrType    = reflect.TypeFor[netip.Addr]()
	prefixType  = reflect.TypeFor[netip.Prefix]()
	nullTime    = reflect.TypeFor[schema.NullTime]()
	bigIntType  = reflect.TypeFor[big.Int]()
	bigRatType  = reflect.TypeFor[big.Rat]()
)

// writtenAsText reports whether values of t are bound as a text of their own,
// and not as JSON made of them.
func writtenAsText(t reflect.Type) bool {
	return t == rawJSONType || isAddress(t)
}

func isAddress(t reflect.Type) bool {
	return t == ipType || t == ipNetType || t == addrType || t == prefixType
}

// binderOf compiles the way from a Go type to the driver.
func binderOf(t reflect.Type) binder {
	switch t {
	case timeType:
		return func(v reflect.Value) (any, error) { return v.Interface().(time.Time).Truncate(time.Microsecond), nil }
	case nullTime:
		return func(v reflect.Value) (any, error) {
			if t := v.Interface().(schema.NullTime); !t.IsZero() {
				return t.Truncate(time.Microsecond), nil
			}
			return nil, nil
		}
	case rawJSONType:
		return func(v reflect.Value) (any, error) {
			if v.IsNil() {
				return nil, nil
			}
			return string(v.Bytes()), nil
		}
	case ipType, addrType, prefixType, ipNetType:
		return bindAddress
	case bigIntType:
		return func(v reflect.Value) (any, error) {
			return addressable(v).Addr().Interface().(*big.Int).String(), nil
		}
	case bigRatType:
		return bindRat
	}
	if t.Kind() == reflect.Pointer {
		if t.Implements(valuerType) && !t.Elem().Implements(valuerType) {
			return nilOr(bindValuer)
		}
		elem := binderOf(t.Elem())
		return nilOr(func(v reflect.Value) (any, error) { return elem(v.Elem()) })
	}
	if t.Implements(valuerType) {
		return bindValuer
	}
	if reflect.PointerTo(t).Implements(valuerType) {
		return func(v reflect.Value) (any, error) { return bindValuer(addressable(v).Addr()) }
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(v reflect.Value) (any, error) { return v.Bool(), nil }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(v reflect.Value) (any, error) { return v.Int(), nil }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(v reflect.Value) (any, error) {
			if n := v.Uint(); n > 1<<63-1 {
				return n, nil
			}
			return int64(v.Uint()), nil
		}
	case reflect.Float32, reflect.Float64:
		return func(v reflect.Value) (any, error) { return v.Float(), nil }
	case reflect.String:
		return func(v reflect.Value) (any, error) { return v.String(), nil }
	case reflect.Interface:
		return func(v reflect.Value) (any, error) {
			if v.IsNil() {
				return nil, nil
			}
			return bindZoned(v.Elem().Interface())
		}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return bindBytes
		}
		return bindJSON
	case reflect.Map, reflect.Struct:
		return bindJSON
	}
	return func(v reflect.Value) (any, error) {
		return nil, &query.ValueError{Type: t.String(), Reason: "cannot be stored"}
	}
}

func nilOr(bind binder) binder {
	return func(v reflect.Value) (any, error) {
		if v.IsNil() {
			return nil, nil
		}
		return bind(v)
	}
}

// addressable returns v, or a copy of it that has an address.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

func bindValuer(v reflect.Value) (any, error) {
	if v.Kind() == reflect.Map || v.Kind() == reflect.Slice || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil, nil
		}
	}
	value, err := v.Interface().(driver.Valuer).Value()
	if err != nil {
		return nil, &query.ValueError{Type: v.Type().String(), Reason: "cannot be bound: its Value method returns an error", Err: err}
	}
	if _, again := value.(driver.Valuer); again {
		return nil, &query.ValueError{Type: v.Type().String(), Reason: fmt.Sprintf("cannot be bound: its Value returns %T", value)}
	}
	return bindZoned(value)
}

// bindRat binds a fraction as a decimal number, if it is one.
func bindRat(v reflect.Value) (any, error) {
	r := addressable(v).Addr().Interface().(*big.Rat)
	places, ends := r.FloatPrec()
	if !ends {
		return nil, &query.ValueError{Type: v.Type().String(), Reason: "is no decimal number: its places do not end"}
	}
	return r.FloatString(places), nil
}

func bindBytes(v reflect.Value) (any, error) {
	if v.Kind() == reflect.Slice {
		if v.IsNil() {
			return nil, nil
		}
		return v.Bytes(), nil
	}
	return bytes.Clone(addressable(v).Bytes()), nil
}

// bindJSON binds text, not bytes: MySQL refuses a binary string for a JSON
// column.
func bindJSON(v reflect.Value) (any, error) {
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
	}
	b, err := json.Marshal(v.Interface())
	if err != nil {
		return nil, &query.ValueError{Type: v.Type().String(), Reason: "cannot be written as JSON" + what(err), Err: err}
	}
	if !faithful(v, b) {
		return nil, &query.ValueError{Type: v.Type().String(), Reason: "holds a text that is no valid UTF-8, which JSON cannot"}
	}
	return string(b), nil
}

// what says why something is no JSON, as far as that holds no value.
func what(err error) string {
	var unsupported *json.UnsupportedTypeError
	var method *json.MarshalerError
	switch {
	case errors.As(err, &unsupported):
		return ": it has a " + unsupported.Type.String() + " in it"
	case errors.As(err, &method):
		return ": the method of " + method.Type.String() + " that writes it returns an error"
	}
	return ""
}

// bindText binds a string or bytes that hold JSON already.
func bindText(v reflect.Value) (any, error) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, nil
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.String {
		return v.String(), nil
	}
	if v.IsNil() {
		return nil, nil
	}
	return string(v.Bytes()), nil
}
