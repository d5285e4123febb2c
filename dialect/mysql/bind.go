package mysql

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"time"
)

// bind converts args as the driver does, and refuses what would change on its
// way (rule S1). The slice is the wire's own, for one call.
func (w *wire) bind(args []any) ([]driver.NamedValue, error) {
	if cap(w.values) < len(args) {
		w.values = make([]driver.NamedValue, len(args))
	}
	values := w.values[:len(args)]
	for i, arg := range args {
		if named, ok := arg.(sql.NamedArg); ok {
			return nil, fmt.Errorf("argument %d: MySQL has no named parameters (%q): use ?", i+1, named.Name)
		}
		v := &values[i]
		*v = driver.NamedValue{Ordinal: i + 1, Value: arg}
		err := w.raw.CheckNamedValue(v)
		if err == nil {
			err = representable(v.Value)
		}
		if err != nil {
			clear(values)
			return nil, &argumentError{i + 1, arg, err}
		}
	}
	return values, nil
}

// argumentError says which value cannot be bound, and never which value it is:
// what its Value method says may quote it.
type argumentError struct {
	index int // from 1
	value any
	err   error
}

func (e *argumentError) Error() string {
	if e.err == errNotFinite || e.err == errYear {
		return fmt.Sprintf("argument %d: %s", e.index, e.err)
	}
	if _, speaks := e.value.(driver.Valuer); speaks {
		return fmt.Sprintf("argument %d: this %T cannot be bound: its Value method returns an error, or what the driver does not take", e.index, e.value)
	}
	return fmt.Sprintf("argument %d: a %T cannot be bound; give the type a Value method", e.index, e.value)
}

func (e *argumentError) Unwrap() error { return e.err }

var (
	errNotFinite = errors.New("MySQL has no NaN and no infinity")
	errYear      = errors.New("MySQL has no time outside the years 1 to 9999")
)

func representable(v driver.Value) error {
	switch v := v.(type) {
	case float64:
		// The driver would write the word NaN into the text, where it is the
		// name of a column.
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return errNotFinite
		}
	case time.Time:
		if year := v.UTC().Year(); (year < 1 || year > 9999) && !v.IsZero() {
			return errYear
		}
	}
	return nil
}
