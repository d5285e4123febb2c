package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"
)

// bindError says which value cannot be bound, and never which value it is.
type bindError struct {
	index int // from 1
	value any
	err   error
}

func (e *bindError) Error() string {
	why := "its own conversion failed"
	if e.err == errTooLarge || e.err == errNaN || e.err == errYear || e.err == errKind {
		why = e.err.Error()
	}
	return fmt.Sprintf("value %d (%T) cannot be bound: %s", e.index, e.value, why)
}

func (e *bindError) Unwrap() error { return e.err }

var (
	errTooLarge = errors.New("SQLite's integers end at 9223372036854775807")
	errNaN      = errors.New("SQLite has no NaN: it would store NULL")
	errYear     = errors.New("its year is not between 0 and 9999 in UTC")
	errKind     = errors.New("SQLite stores integers, floats, texts, blobs, bools and times; give the type a Value method")
)

// bind converts args to what SQLite stores, and refuses what would change on
// the way (rule S1).
func bind(args []any) ([]driver.NamedValue, error) {
	if len(args) == 0 {
		return nil, nil
	}
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		v := &values[i]
		v.Ordinal = i + 1
		if named, ok := arg.(sql.NamedArg); ok {
			v.Name, arg = named.Name, named.Value
		}
		var err error
		if v.Value, err = value(arg); err != nil {
			return nil, &bindError{i + 1, arg, err}
		}
	}
	return values, nil
}

func value(arg any) (driver.Value, error) {
	switch a := arg.(type) {
	case nil, string, []byte, int64, bool:
		return a, nil
	case int:
		return int64(a), nil
	case float64:
		return float(a)
	case time.Time:
		return instant(a)
	}
	_, converts := arg.(driver.Valuer)
	if !converts && tooLarge(arg) {
		return nil, errTooLarge
	}
	v, err := driver.DefaultParameterConverter.ConvertValue(arg)
	switch v := v.(type) {
	case float64:
		return float(v)
	case time.Time:
		return instant(v)
	}
	if err != nil && !converts {
		err = errKind
	}
	return v, err
}

// tooLarge finds the integers that database/sql would let wrap around.
func tooLarge(arg any) bool {
	v := reflect.ValueOf(arg)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v.CanUint() && v.Uint() > math.MaxInt64
}

func float(f float64) (driver.Value, error) {
	if math.IsNaN(f) {
		return nil, errNaN
	}
	return f, nil
}

// timeFormat has a fixed width, so that texts compare as the times do.
const timeFormat = "2006-01-02 15:04:05.000000+00:00"

func instant(t time.Time) (driver.Value, error) {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return nil, errYear
	}
	return t.Format(timeFormat), nil
}
