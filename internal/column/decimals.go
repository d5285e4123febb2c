package column

import (
	"database/sql"
	"database/sql/driver"
	"math/big"
	"reflect"
)

var (
	ratType     = reflect.TypeFor[big.Rat]()
	scannerType = reflect.TypeFor[sql.Scanner]()
)

// Decimals reports whether values of t are decimal numbers of any places, of which a
// column keeps some: big.Rat, and a type that reads the text of a number, says the same
// number as a text, and reads no other text. A text that happens to look like a number is
// none.
func Decimals(t reflect.Type) bool {
	if t == ratType {
		return true
	}
	if p := reflect.PointerTo(t); t.Kind() != reflect.Struct || !p.Implements(valuerType) || !p.Implements(scannerType) {
		return false
	}
	for _, number := range [...]string{"10.005", "-7.25"} {
		said, ok := saysOf(t, number)
		if !ok {
			return false
		}
		want, _ := new(big.Rat).SetString(number)
		if has, isNumber := new(big.Rat).SetString(said); !isNumber || has.Cmp(want) != 0 {
			return false
		}
	}
	_, text := saysOf(t, "ten")
	return !text
}

// saysOf is the text that a value of t says after it has read one; ok is false where it
// reads none, says something else, or panics.
func saysOf(t reflect.Type, text string) (said string, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	v := reflect.New(t).Interface()
	if v.(sql.Scanner).Scan(text) != nil && v.(sql.Scanner).Scan([]byte(text)) != nil {
		return "", false
	}
	value, err := v.(driver.Valuer).Value()
	if err != nil {
		return "", false
	}
	switch value := value.(type) {
	case string:
		return value, true
	case []byte:
		return string(value), true
	}
	return "", false
}
