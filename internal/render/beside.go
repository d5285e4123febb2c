package render

import (
	"math"
	"reflect"
	"regexp"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// value converts v to stand beside something of kind k, or refuses it (rule S10):
// what an
// engine would make of a number beside a text, or of a text beside a number, is
// its own affair (MySQL: 'abc' = 0). What the column's own Go type holds always
// fits, and so does what speaks for itself and says what fits.
func (k kind) value(v any) (any, error) {
	switch n := v.(type) { // what needs no look at its type
	case nil:
		return nil, nil
	case bool:
		if k.Kind == column.Boolean {
			return v, nil
		}
	case string:
		if k.Kind == column.Text && k.Name != "name" {
			return v, nil
		}
	case int:
		if k.Kind == column.Integer {
			return int64(n), nil
		}
	case int64:
		if k.Kind == column.Integer {
			return v, nil
		}
	}
	rv := reflect.ValueOf(v)
	t := rv.Type()
	if k.field != nil {
		if at, null := pointedTo(rv); null {
			return nil, nil
		} else if at.Type() == k.field.IndirectType {
			bound, err := k.field.bindOwn(at)
			if text, isText := bound.(string); isText && k.Kind == column.Text {
				if because := k.cuts(text); because != "" {
					return nil, k.refuse(t, because)
				}
			}
			if k.Kind == column.JSON {
				bound = k.spelledJSON(bound)
			}
			return bound, k.field.explain(err)
		}
	}
	if k.Kind == column.JSON {
		bound, err := k.document(rv)
		if err != nil && k.field != nil {
			err = k.field.explain(err)
		}
		return k.spelledJSON(bound), err
	}
	if k.Kind == column.Array {
		if at, null := pointedTo(rv); null || at.Kind() == reflect.Slice && at.IsNil() {
			return nil, nil
		} else if at.Kind() == reflect.Slice && composite(at.Type()) {
			return k.list(at)
		}
		return nil, k.refuse(t, "")
	}
	bound, err := bindZoned(v)
	if err == nil && composite(base(t)) && (k.Kind != column.Unknown || k.field != nil) {
		err = k.refuse(t, "")
	}
	if err == nil {
		bound, err = k.conform(bound, t)
	}
	if err != nil && k.field != nil {
		err = k.field.explain(err)
	}
	return bound, err
}

// pointedTo follows pointers; null is true if one of them is nil.
func pointedTo(v reflect.Value) (at reflect.Value, null bool) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return v, true
		}
		v = v.Elem()
	}
	return v, false
}

func (k kind) refuse(t reflect.Type, because string) error {
	if because == "" {
		because = "cannot stand beside " + k.Kind.String()
	}
	return &query.ValueError{Field: k.name(), Type: t.String(), Reason: because}
}

// conform makes of what is bound for a value of type t what stands for it beside
// k. Numbers stay what they are: the operator decides (see [kind.number]).
func (k kind) conform(bound any, t reflect.Type) (any, error) {
	if bound == nil {
		return nil, nil
	}
	refused := k.refuse(t, "")
	if k.Kind != column.Date {
		bound = inUTC(bound)
	}
	switch k.Kind {
	case column.Unknown:
		if k.field != nil && k.Name == "" {
			return nil, k.refuse(t, "cannot be compared with a column of which nothing is known: say what it is with the tag type")
		}
		return bound, nil
	case column.Integer, column.Decimal, column.Float:
		switch b := bound.(type) {
		case float64:
			if k.Kind == column.Integer && math.IsNaN(b) {
				return nil, k.refuse(t, notWhole)
			}
			return b, nil
		case int64, uint64:
			return b, nil
		case string:
			if decimal.MatchString(b) && (k.Kind == column.Decimal || speaks(base(t)) || base(t) == bigIntType || base(t) == bigRatType) {
				return b, nil
			}
		}
		return nil, refused
	case column.Text:
		if b, ok := bound.([]byte); ok { // for SQLite no text equals bytes, whatever column they stand in
			bound = string(b)
		}
		text, ok := bound.(string)
		if !ok {
			return nil, refused
		}
		if because := k.cuts(text); because != "" {
			return nil, k.refuse(t, because)
		}
		return text, nil
	case column.Binary:
		switch b := bound.(type) {
		case []byte:
			return b, nil
		case string:
			return []byte(b), nil
		}
		return nil, refused
	case column.Boolean:
		if b, ok := bound.(bool); ok {
			return b, nil
		}
		return nil, refused
	case column.Date, column.TimeOfDay, column.Timestamp:
		if _, ok := bound.(string); ok && !speaks(base(t)) {
			return nil, refused
		}
		bound, err := k.onlyText(bound, t, true)
		if err != nil {
			return nil, err
		}
		return k.daily(bound, t)
	case column.UUID:
		if s, ok := bound.(string); ok && !uuid.MatchString(s) {
			return nil, k.refuse(t, "is no UUID in its canonical form, which is in lower case and with hyphens")
		}
		return k.onlyText(bound, t, false)
	case column.Address:
		return k.onlyText(bound, t, false)
	case column.Other:
		if _, isText := bound.(string); k.Name == "bit" && isText {
			return nil, refused
		}
	}
	return bound, nil
}

// onlyText lets texts pass, and times where they are what the column holds.
func (k kind) onlyText(bound any, t reflect.Type, times bool) (any, error) {
	switch bound.(type) {
	case int64, uint64, float64, bool:
		return nil, k.refuse(t, "")
	case []byte:
		if times {
			return nil, k.refuse(t, "")
		}
	case string:
	default:
		if !times {
			return nil, k.refuse(t, "")
		}
	}
	return bound, nil
}

var (
	decimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
	uuid    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// own makes of what a field's own Go type binds what its column holds: a Go type
// and a column may be of different kinds by the tag type, and then each engine
// would convert in its own way.
func (f *Field) own(bound any) (any, error) {
	k := kind{f.Column, f}
	t := f.IndirectType
	switch k.Kind {
	case column.Integer:
		if b, ok := bound.(bool); ok {
			if b {
				return int64(1), nil
			}
			return int64(0), nil
		}
		if s, ok := bound.(string); ok && t.Kind() == reflect.String && decimal.MatchString(s) {
			return s, nil
		}
	case column.Decimal:
		if _, ok := read(bound); !ok {
			return nil, k.refuse(t, "is no decimal number")
		}
		return bound, nil
	case column.Date, column.TimeOfDay:
		return k.daily(bound, t)
	case column.Timestamp, column.Unknown, column.Array, column.Other:
		return inUTC(bound), nil
	case column.Text:
		switch b := bound.(type) {
		case int64:
			return strconv.FormatInt(b, 10), nil
		case uint64:
			return strconv.FormatUint(b, 10), nil
		case float64:
			return strconv.FormatFloat(b, 'g', -1, 64), nil
		case bool:
			return strconv.FormatBool(b), nil
		case []byte:
			return string(b), nil
		}
		return bound, nil // a time is written by the driver
	case column.Boolean:
		if b, ok := bound.(int64); ok && (b == 0 || b == 1) {
			return b == 1, nil
		}
	case column.JSON:
		if b, ok := bound.([]byte); ok { // MySQL takes no bytes for JSON
			return string(b), nil
		}
		return bound, nil
	case column.UUID:
		if b, ok := bound.([]byte); ok && len(b) == 16 {
			return b, nil
		}
	}
	return k.conform(bound, t)
}
