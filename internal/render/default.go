package render

import (
	"reflect"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
)

// LeftToServer reports whether a new row leaves the column to the server: one
// that is counted up or has a default where the row has none, and one that is
// only read.
func (f *Field) LeftToServer(row reflect.Value) bool {
	return f.ScanOnly || (f.Counted() || f.SQLDefault != "" && f.canBeLeft()) && f.HasZeroValue(row)
}

// Counted reports whether the server counts the column up.
func (f *Field) Counted() bool { return f.AutoIncrement || f.Identity }

// canBeLeft reports whether a zero value says that none was given.
func (f *Field) canBeLeft() bool { return f.NullZero || f.IsPK || holdsNull(f.StructField.Type) }

// refusedDefault says why the column's default cannot be told from a zero that
// is meant; "" if it can, or if the two are the same. With default:true a plain
// bool could never be stored as false, or never left out.
func (f *Field) refusedDefault() string {
	if f.SQLDefault == "" || f.ScanOnly || f.canBeLeft() || f.Counted() || f.defaultIsZero() {
		return ""
	}
	t := f.StructField.Type.String()
	return "a zero " + t + " cannot be told from one that is not given, which gets the default " + f.SQLDefault +
		": make it a pointer, or tag it nullzero if a zero is never meant, or leave the default out of the tag if a zero is always meant"
}

// Default is the column's default as CreateTables declares it. Where decimal
// numbers are texts, it is one that equals those that are bound.
func (f *Field) Default() string {
	k := kind{f.Column, f}
	if n, ok := parse(strings.Trim(f.SQLDefault, "'")); ok && k.Kind == column.Decimal && k.engine() == dialect.SQLite {
		return "'" + k.spelled(n) + "'"
	}
	return f.SQLDefault
}

func (f *Field) defaultIsZero() bool {
	text := strings.TrimSpace(f.SQLDefault)
	switch f.IndirectType.Kind() {
	case reflect.Bool:
		return strings.EqualFold(text, "false") || text == "0"
	case reflect.String:
		if text == "''" {
			return true
		}
	}
	n, ok := parse(strings.Trim(text, "'"))
	zero, isNumber := read(safeZero(f.IndirectType))
	return ok && isNumber && n == "0" && zero == "0"
}

// safeZero is what is bound for the zero value of a type, nil if it has none.
func safeZero(t reflect.Type) any {
	v, err := safely(binderOf(t), reflect.New(t).Elem())
	if err != nil {
		return nil
	}
	return v
}
