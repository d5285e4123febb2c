package render

import (
	"database/sql"
	"reflect"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
)

// refusedModel says why values of the field's Go type cannot be kept in its
// column at all; "" if they can (rule S20).
func (f *Field) refusedModel() string {
	t := f.IndirectType
	if f.Column.Kind.Time() && !speaks(t) && !f.holdsTime(t) {
		return "cannot be " + f.Column.Kind.String() + " of type " + f.Column.Name + map[column.Kind]string{
			column.Date: ": make it a time.Time, a models.Date or a string", column.Timestamp: ": make it a time.Time", column.TimeOfDay: ": make it a string",
		}[f.Column.Kind]
	}
	if nullOf(t) != t && isAddress(nullOf(t)) {
		return "cannot be read: make it a " + nullOf(t).String() + ", whose zero value is NULL"
	}
	if convertsItself(t) || (f.ScanOnly || f.Model.answer) && !f.ofBits() {
		return ""
	}
	return f.comesBackChanged(t)
}

func (f *Field) holdsTime(t reflect.Type) bool {
	isTime, isText := t == timeType || t == nullTime, t.Kind() == reflect.String
	switch f.Column.Kind {
	case column.Date:
		return isTime || isText
	case column.Timestamp:
		return isTime
	}
	return isText
}

// ofBits reports whether the driver gives bytes for the field in which no number is told
// from its digits.
func (f *Field) ofBits() bool { return isMySQL(f.Model.Engine()) && f.Column.Name == "bit" }

// comesBackChanged says why what is stored of a Go type would not be what is read.
func (f *Field) comesBackChanged(t reflect.Type) string {
	engine, name := f.Model.Engine(), f.Column.Name
	const orAType = "give it a type with Value and Scan methods, or tag it scanonly"
	switch f.Column.Kind {
	case column.TimeOfDay:
		if engine == dialect.Postgres && f.Column.Zoned {
			return "would come back with a zone from a column of type " + name + ": make that time, " + orAType
		}
	case column.Other:
		if !f.keptInOther(t) {
			return "would come back changed from a column of type " + name + ", whose values the server writes in its own way: make that a type of " +
				"numbers, texts or times, " + orAType
		}
	case column.UUID, column.Address:
		k := nullOf(t).Kind()
		if engine != dialect.SQLite && k != reflect.String && k != reflect.Interface && !(f.Column.Kind == column.Address && isAddress(t)) {
			return "would come back as text from a column of type " + name + ": make it a string, " + orAType
		}
	}
	return ""
}

// keptInOther lists what comes back equal from types with rules of their own. SQLite has
// none of them, and a text in such a column becomes a number there if it looks like one.
func (f *Field) keptInOther(t reflect.Type) bool {
	isBytes := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	switch k := nullOf(t).Kind(); {
	case f.Model.Engine() == dialect.SQLite:
		return reflect.Bool <= k && k <= reflect.Float64 || isBytes
	case f.ofBits():
		return f.Column.Length == 1 && t.Kind() == reflect.Bool || f.ScanOnly && isBytes
	case f.Column.Name == "ltree":
		return k == reflect.String
	}
	return f.Column.Name == "vector" && isBytes && isMySQL(f.Model.Engine())
}

var sqlScanner = reflect.TypeFor[sql.Scanner]()

// convertsItself reports whether values of t say themselves what is stored, and read it. The
// Null types of database/sql do so for any text.
func convertsItself(t reflect.Type) bool {
	return speaks(t) && reflect.PointerTo(t).Implements(sqlScanner) && nullOf(t) == t
}

// nullOf is what a Null type of database/sql holds, and else t itself.
func nullOf(t reflect.Type) reflect.Type {
	if t.PkgPath() == reflect.TypeFor[sql.NullString]().PkgPath() && t.Kind() == reflect.Struct && t.NumField() > 0 {
		return t.Field(0).Type
	}
	return t
}
