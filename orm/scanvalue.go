package orm

import (
	"bytes"
	"database/sql/driver"
	"reflect"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/internal/render"
)

func scanTime(dst reflect.Value, src driver.Value) error {
	at := dst.Addr().Interface().(*time.Time)
	switch src := src.(type) {
	case time.Time:
		*at = src.UTC()
		return nil
	case nil:
		return errNull
	case string, []byte: // a driver that was opened without parsing times
		if err := schema.Scanner(timeType)(dst, src); err != nil {
			return err
		}
		*at = at.UTC()
		return nil
	}
	return errType
}

func scanString(dst reflect.Value, src driver.Value) error {
	switch src := src.(type) {
	case string:
		dst.SetString(src)
	case []byte:
		dst.SetString(string(src))
	case nil:
		return errNull
	default:
		return schema.Scanner(dst.Type())(dst, src)
	}
	return nil
}

func scanBytes(dst reflect.Value, src driver.Value) error {
	switch src := src.(type) {
	case []byte:
		dst.SetBytes(append(make([]byte, 0, len(src)), src...))
	case string:
		dst.SetBytes([]byte(src))
	case nil:
		dst.SetZero()
	default:
		return errType
	}
	return nil
}

func scanByteArray(dst reflect.Value, src driver.Value) error {
	var b []byte
	switch src := src.(type) {
	case []byte:
		b = src
	case string:
		b = []byte(src)
	case nil:
		return errNull
	default:
		return errType
	}
	if len(b) != dst.Len() {
		return errTooLarge
	}
	reflect.Copy(dst, reflect.ValueOf(b))
	return nil
}

// scanAddress reads the text that a network address is bound as, whose zero
// value is bound as NULL.
var scanAddress = orZero(func(dst reflect.Value, src driver.Value) error {
	text, isText := src.(string)
	if b, isBytes := src.([]byte); isBytes {
		text, isText = string(b), true
	}
	if !isText || !render.ReadAddress(dst, text) {
		return errType
	}
	return nil
})

// asBytes gives JSON to a type's own Scan as bytes, on every engine: sql.Null
// cannot make a json.RawMessage of a text.
func asBytes(scan scanner) scanner {
	return func(dst reflect.Value, src driver.Value) error {
		if s, ok := src.(string); ok {
			src = []byte(s)
		}
		return scan(dst, src)
	}
}

// scanAny takes what the driver gives. Bytes are copied: the driver's own are
// gone with the next row.
func scanAny(dst reflect.Value, src driver.Value) error {
	switch src := src.(type) {
	case nil:
		dst.SetZero()
	case []byte:
		dst.Set(reflect.ValueOf(bytes.Clone(src)))
	case time.Time:
		dst.Set(reflect.ValueOf(src.UTC()))
	default:
		dst.Set(reflect.ValueOf(src))
	}
	return nil
}
