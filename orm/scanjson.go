package orm

import (
	"database/sql/driver"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/exactjson"
)

// jsonScanner reads what is stored as JSON. A number in an any is a float64 if
// that is written back as the same number, and else a json.Number (rule S25): as a float64
// alone, 1499366092322157987 would be saved as another.
func jsonScanner(t reflect.Type) scanner {
	decode := exactjson.Decoder(t)
	return func(dst reflect.Value, src driver.Value) error {
		dst.SetZero() // JSON is merged into what is there
		switch src := src.(type) {
		case nil:
			return nil
		case []byte:
			return decode(dst, src)
		case string:
			return decode(dst, []byte(src))
		}
		return errType
	}
}

// scanAnyJSON decodes what was encoded when it was bound.
var anyJSON = jsonScanner(anyType)

func scanAnyJSON(dst reflect.Value, src driver.Value) error {
	switch src.(type) {
	case []byte, string:
		return anyJSON(dst, src)
	}
	dst.SetZero()
	return scanAny(dst, src)
}
