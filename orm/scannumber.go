package orm

import (
	"database/sql/driver"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

func scanInt(dst reflect.Value, src driver.Value) error {
	var n int64
	var err error
	switch src := src.(type) {
	case int64:
		n = src
	case uint64:
		if src > 1<<63-1 {
			return errTooLarge
		}
		n = int64(src)
	case bool:
		if src {
			n = 1
		}
	case float64:
		if n = int64(src); float64(n) != src {
			return errTooLarge
		}
	case []byte:
		n, err = strconv.ParseInt(wholePart(string(src)), 10, 64)
	case string:
		n, err = strconv.ParseInt(wholePart(src), 10, 64)
	case nil:
		return errNull
	default:
		return errType
	}
	if err != nil {
		return err
	}
	if dst.OverflowInt(n) {
		return errTooLarge
	}
	dst.SetInt(n)
	return nil
}

// wholePart: a decimal column gives 5.00 for 5. What has a fraction stays as it
// is, and is no integer.
func wholePart(s string) string {
	if whole, fraction, ok := strings.Cut(s, "."); ok && strings.Trim(fraction, "0") == "" {
		return whole
	}
	return s
}

func scanUint(dst reflect.Value, src driver.Value) error {
	var n uint64
	var err error
	switch src := src.(type) {
	case uint64:
		n = src
	case int64:
		if src < 0 {
			return errTooLarge
		}
		n = uint64(src)
	case []byte:
		n, err = strconv.ParseUint(wholePart(string(src)), 10, 64)
	case string:
		n, err = strconv.ParseUint(wholePart(src), 10, 64)
	case nil:
		return errNull
	default:
		return errType
	}
	if err != nil {
		return err
	}
	if dst.OverflowUint(n) {
		return errTooLarge
	}
	dst.SetUint(n)
	return nil
}

func scanFloat(dst reflect.Value, src driver.Value) error {
	var f float64
	var err error
	switch src := src.(type) {
	case float64:
		f = src
	case float32:
		f = float64(src)
	case int64:
		f = float64(src)
	case []byte:
		f, err = strconv.ParseFloat(string(src), 64)
	case string:
		f, err = strconv.ParseFloat(src, 64)
	case nil:
		return errNull
	default:
		return errType
	}
	if err != nil {
		return err
	}
	if dst.OverflowFloat(f) {
		return errTooLarge
	}
	dst.SetFloat(f)
	return nil
}

// scanBig reads a *big.Int or a *big.Rat from the text of a number.
func scanBig(dst reflect.Value, src driver.Value) error {
	var text string
	switch src := src.(type) {
	case []byte:
		text = string(src)
	case string:
		text = src
	case int64:
		text = strconv.FormatInt(src, 10)
	case uint64:
		text = strconv.FormatUint(src, 10)
	case float64: // SQLite, in a column that was not made by CreateTables
		text = strconv.FormatFloat(src, 'f', -1, 64)
	case nil:
		return errNull
	default:
		return errType
	}
	ok := false
	switch n := dst.Addr().Interface().(type) {
	case *big.Int:
		// As a fraction first: 5.00 is a whole number too.
		var r *big.Rat
		if r, ok = new(big.Rat).SetString(text); ok && r.IsInt() {
			n.Set(r.Num())
		} else {
			ok = false
		}
	case *big.Rat:
		var r *big.Rat
		if r, ok = new(big.Rat).SetString(text); ok {
			n.Set(r)
		}
	}
	if !ok {
		return errType
	}
	return nil
}

func scanBool(dst reflect.Value, src driver.Value) error {
	switch src := src.(type) {
	case bool:
		dst.SetBool(src)
		return nil
	case int64:
		dst.SetBool(src != 0)
		return nil
	case []byte:
		if len(src) == 1 && src[0] <= 1 { // MySQL's BIT(1)
			dst.SetBool(src[0] == 1)
			return nil
		}
		b, err := strconv.ParseBool(string(src))
		dst.SetBool(b)
		return err
	case string:
		b, err := strconv.ParseBool(src)
		dst.SetBool(b)
		return err
	case nil:
		return errNull
	}
	return errType
}
