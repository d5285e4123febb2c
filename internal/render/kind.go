package render

import (
	"database/sql/driver"
	"reflect"
	"time"

	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// kind is what is known of the value of a written node.
type kind struct {
	column.Type
	field *Field // the column that it comes from, if it is one
}

func of(k column.Kind) kind { return kind{Type: column.Type{Kind: k}} }

var (
	wholeNumber    = kind{Type: column.Type{Kind: column.Integer, Bits: 64}}
	floatingNumber = kind{Type: column.Type{Kind: column.Float, Bits: 64}}
	instant        = kind{Type: column.Type{Kind: column.Timestamp, Precision: 6, Zoned: true}}
	condition      = of(column.Boolean)
	sumOfWhole     = kind{Type: column.Type{Kind: column.Decimal, Precision: 65}}
)

// name is what errors call the column, "" if it is none.
func (k kind) name() string {
	if k.field == nil {
		return ""
	}
	return k.field.String()
}

// beside reports whether what two nodes yield can be compared: what one engine
// would turn into the other is not the same on the next.
func (k kind) beside(other kind) bool {
	switch a, b := k.Kind, other.Kind; {
	case a == column.Unknown || b == column.Unknown, a.Number() && b.Number():
		return true
	case a == column.Other:
		return b == a && k.Name == other.Name
	default:
		return a == b
	}
}

// mismatch says that what a node yields cannot stand beside k.
func (k kind) mismatch(other kind) error {
	err := &query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + other.Kind.String()}
	if other.field != nil {
		err.Type = other.field.StructField.Type.String()
		err.Reason = "in " + other.field.String() + ", " + other.Kind.String() + ","
	}
	err.Reason += " cannot stand beside " + k.Kind.String()
	return err
}

// merged is the kind of a value that comes from one of two nodes.
func (k kind) merged(other kind) kind {
	switch a, b := k.Kind, other.Kind; {
	case a == column.Float && b == a:
		t := k.Type
		t.Bits = max(t.Bits, other.Bits)
		if other.Precision == 0 || t.Precision > 0 && other.Scale > t.Scale {
			t.Precision, t.Scale = other.Precision, other.Scale
		}
		return kind{Type: t}
	case a == column.Unknown, (a.Time() || a == column.Other) && b == a && other.Precision > k.Precision:
		return kind{Type: other.Type}
	case b == column.Unknown, a == b && a != column.Integer:
		return kind{Type: k.Type}
	case a == column.Float || b == column.Float:
		return floatingNumber
	case a == column.Integer && other.Type == sumOfWhole.Type, b == column.Integer && k.Type == sumOfWhole.Type:
		return sumOfWhole
	case a == column.Decimal || b == column.Decimal:
		return of(column.Decimal)
	case a == column.Integer:
		r := wholeNumber
		r.Unsigned = k.Unsigned && other.Unsigned // as MySQL has it
		return r
	}
	return kind{Type: k.Type}
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	valuerType = reflect.TypeFor[driver.Valuer]()
)

// speaks reports whether values of t say themselves what is bound.
func speaks(t reflect.Type) bool {
	return t.Implements(valuerType) || t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(valuerType)
}

// base is t without its pointers.
func base(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// composite reports whether values of t are bound as JSON text. Beside a column
// of a single value that is a mistake: it equals none.
func composite(t reflect.Type) bool {
	if t == timeType || t == nullTime || t == bigIntType || t == bigRatType || writtenAsText(t) || speaks(t) {
		return false
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return t.Elem().Kind() != reflect.Uint8
	case reflect.Map, reflect.Struct:
		return true
	}
	return false
}
