package render

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"time"
)

// class says roughly what a value is, so that a comparison which each engine
// would read in its own way (a number with a text) is refused.
type class uint8

const (
	anything class = iota // not known: nothing is checked
	integer
	float
	text
	boolean
	instant
	binary
)

func (c class) String() string {
	return [...]string{"anything", "an integer", "a number", "text", "a boolean", "a time", "bytes"}[c]
}

func (c class) number() bool { return c == integer || c == float }

// fits reports whether values of the two classes can be compared.
func (c class) fits(d class) bool {
	switch {
	case c == anything || d == anything, c == d:
		return true
	case c.number() && d.number():
		return true
	}
	return c == text && d == binary || c == binary && d == text
}

// kind is what is known of the value of a written node.
type kind struct {
	class
	field *Field // the column that it comes from, if it is one
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	valuerType  = reflect.TypeFor[driver.Valuer]()
	scannerType = reflect.TypeFor[sql.Scanner]()
)

// classOf is the class of a Go type. A type that speaks to the driver itself is
// anything.
func classOf(t reflect.Type) class {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case timeType:
		return instant
	case ipType, rawJSONType: // bytes that are bound as text
		return text
	}
	if p := reflect.PointerTo(t); p.Implements(valuerType) || p.Implements(scannerType) {
		return anything
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return integer
	case reflect.Float32, reflect.Float64:
		return float
	case reflect.String:
		return text
	case reflect.Bool:
		return boolean
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 && t.Elem().PkgPath() == "" {
			return binary
		}
	}
	return anything
}

// isList reports whether t is bound as JSON text although it looks like several
// values. Beside a column of a single value that is a mistake: it equals none.
func isList(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return classOf(t) == anything && !t.Implements(valuerType) && !reflect.PointerTo(t).Implements(valuerType)
	}
	return false
}
