package orm

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"time"

	"github.com/uptrace/bun/schema"
)

// scanner puts a value of the driver into a Go value. What bun scans by
// silently changing it (a number that is too large, NULL in a plain int) is an
// error here.
type scanner func(dst reflect.Value, src driver.Value) error

var (
	errNull     = errors.New("NULL")
	errTooLarge = errors.New("the number is too large")
	errType     = errors.New("another type")

	sqlScanner = reflect.TypeFor[sql.Scanner]()
	timeType   = reflect.TypeFor[time.Time]()
	anyType    = reflect.TypeFor[any]()
	ipType     = reflect.TypeFor[net.IP]()
	ipNetType  = reflect.TypeFor[net.IPNet]()
	addrType   = reflect.TypeFor[netip.Addr]()
	prefixType = reflect.TypeFor[netip.Prefix]()
	bigIntType = reflect.TypeFor[big.Int]()
	bigRatType = reflect.TypeFor[big.Rat]()
)

// scannerOf compiles the way from the driver to a Go type. fallback is bun's
// for what has no way of its own here, JSON above all.
func scannerOf(t reflect.Type, fallback schema.ScannerFunc) scanner {
	switch {
	case t == timeType:
		return scanTime
	case t == anyType:
		return scanAny
	case t == bigIntType, t == bigRatType:
		return scanBig
	case t == ipType, t == ipNetType, t == addrType, t == prefixType:
		return scanAddress
	case reflect.PointerTo(t).Implements(sqlScanner):
		return func(dst reflect.Value, src driver.Value) error {
			return dst.Addr().Interface().(sql.Scanner).Scan(src)
		}
	}
	switch t.Kind() {
	case reflect.Pointer:
		if elem := t.Elem(); !written(elem) {
			return pointerTo(scannerOf(elem, schema.Scanner(elem)))
		}
		return jsonScanner(t)
	case reflect.Bool:
		return scanBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return scanInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return scanUint
	case reflect.Float32, reflect.Float64:
		return scanFloat
	case reflect.String:
		return scanString
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return scanBytes
		}
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return scanByteArray
		}
	}
	if fallback == nil {
		return func(reflect.Value, driver.Value) error { return errType }
	}
	return jsonScanner(t)
}

// written reports whether t is a struct that is stored as JSON.
func written(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != timeType && t != ipNetType && t != addrType && t != prefixType && t != bigIntType && t != bigRatType &&
		!reflect.PointerTo(t).Implements(sqlScanner)
}

func pointerTo(elem scanner) scanner {
	return func(dst reflect.Value, src driver.Value) error {
		if src == nil {
			dst.SetZero()
			return nil
		}
		p := reflect.New(dst.Type().Elem())
		if err := elem(p.Elem(), src); err != nil {
			return err
		}
		dst.Set(p)
		return nil
	}
}

// orZero lets NULL be the zero value, which the tag nullzero asks for.
func orZero(scan scanner) scanner {
	return func(dst reflect.Value, src driver.Value) error {
		if src == nil {
			dst.SetZero()
			return nil
		}
		return scan(dst, src)
	}
}

// explain tells what did not fit where, without the value.
func explain(field string, to reflect.Type, src driver.Value, err error) error {
	if err == nil {
		return nil
	}
	e := &ScanError{Field: field, To: to.String(), From: "NULL", Err: err}
	switch src.(type) {
	case nil:
		if err != errNull {
			e.From = "null"
		}
	case []byte:
		e.From = "[]byte"
	default:
		e.From = reflect.TypeOf(src).String()
	}
	return e
}
