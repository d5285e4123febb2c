package orm

import (
	"database/sql/driver"
	"reflect"
	"strconv"
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
		n, err = strconv.ParseInt(string(src), 10, 64)
	case string:
		n, err = strconv.ParseInt(src, 10, 64)
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
		n, err = strconv.ParseUint(string(src), 10, 64)
	case string:
		n, err = strconv.ParseUint(src, 10, 64)
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
