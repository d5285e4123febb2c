package orm

import (
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
)

// comparison collects the differences between a model and its table.
type comparison struct {
	db    *DB
	model *render.Model
	found []Difference
}

func (c *comparison) add(name string, kind DifferenceKind, want, have string) {
	c.found = append(c.found, Difference{Model: c.model.Name, Table: c.model.Table.Name, Column: name, Kind: kind, Want: want, Have: have})
}

func (c *comparison) column(f *render.Field, have tableColumn) {
	engine := c.db.Server().Engine
	want := f.Column
	declared, own := f.Tag.Option("type")
	if !own {
		d := ddlOf(c.db.Server())
		short := d.short(c.model, f)
		declared = d.spell(f.Column, short)
		if made := column.Parse(engine, declared); made.Kind == want.Kind { // with the length that CreateTables gives it
			zoned := want.Zoned
			want = made
			want.Zoned = want.Zoned || zoned
		}
	}
	if declared == "" {
		declared = f.Column.Kind.String()
	}
	differs := func(kind DifferenceKind) { c.add(f.Name, kind, declared, have.declared) }

	is := column.Parse(engine, have.declared)
	text := want
	if want.Elem != nil && is.Elem != nil { // what is kept of an array is what is kept of its elements
		want, is = *want.Elem, *is.Elem
	}
	switch {
	case engine == dialect.SQLite && makesNumbers(f, want, is, have.declared):
		differs(OtherType)
	case f.Untold() && changes(engine, is, have.declared):
		differs(NoType)
	case want.Kind == column.Unknown || want.Foreign || is.Kind == column.Unknown:
	case engine == dialect.SQLite && want.Kind == column.Decimal:
		if is.Kind != column.Text {
			differs(FloatDecimals)
		}
	case !sameKind(engine, want, is):
		differs(OtherType)
	case engine != dialect.SQLite && !holds(engine, is, want): // SQLite's columns have no bounds
		differs(TooNarrow)
	case engine == dialect.Postgres && want.Kind == column.Timestamp && want.Zoned && !is.Zoned:
		differs(NoZone)
	}
	switch {
	case f.ScanOnly:
	case f.Nullable && have.notNull && !have.hasDefault:
		differs(NeverNull)
	case !f.Nullable && !have.notNull:
		differs(MayBeNull)
	}
	if have.computed && !f.ScanOnly {
		c.add(f.Name, Computed, "", "")
	}
	if server := c.db.Server(); text.Kind == column.Text && otherText(server, text, have) {
		c.add(f.Name, OtherText, exactly(server), strings.TrimSpace(have.charset+" "+have.collation))
	}
	if f.Counted() && !have.counted {
		c.add(f.Name, NotAutoIncrement, "", "")
	}
	if have.counted && !f.Counted() && !f.ScanOnly && engine != dialect.SQLite { // whose row ids are counted, and zero is one
		c.add(f.Name, AutoIncrement, "", "")
	}
	if f.SQLDefault != "" && !f.Counted() && !have.hasDefault {
		c.add(f.Name, NoDefault, f.SQLDefault, "")
	}
}

// makesNumbers reports whether SQLite stores a text of the field that looks like a number as
// one, 007 as 7: in a column whose type it does not know, STRING and JSON among them.
func makesNumbers(f *render.Field, want, is column.Type, declared string) bool {
	other := is.Kind == column.Text && !keepsText(declared) // ENUM, of which SQLite knows nothing
	if declared == "" || is.Kind != column.Unknown && is.Kind != column.JSON && !other {
		return false
	}
	switch want.Kind {
	case column.Text:
		return true
	case column.JSON: // an object or a list looks like none
		return f.IndirectType == reflect.TypeFor[json.RawMessage]() || f.IndirectType.Kind() == reflect.Interface
	}
	return false
}

// changes reports whether the server may keep another value than such a column is given,
// without an error: rounded, or on SQLite a number in place of a text.
func changes(engine string, is column.Type, declared string) bool {
	if engine == dialect.SQLite {
		return is.Kind == column.Decimal || is.Kind == column.Unknown && declared != ""
	}
	switch is.Kind {
	case column.Decimal:
		return is.Precision > 0
	case column.Float:
		return is.Bits == 32
	case column.TimeOfDay, column.Timestamp:
		return is.Precision < 6
	}
	return false
}

// sameKind: some servers have no type of their own for what others have.
func sameKind(engine string, want, is column.Type) bool {
	if want.Kind == is.Kind {
		return !is.Fixed || want.Fixed
	}
	my, lite := engine == dialect.MySQL || engine == dialect.MariaDB, engine == dialect.SQLite
	switch want.Kind {
	case column.Boolean:
		return is.Kind == column.Integer && (my && is.Bits == 8 || lite)
	case column.Timestamp, column.Date, column.TimeOfDay:
		return lite && is.Kind == column.Text // as what they are stored, whatever the column is called
	case column.JSON:
		return engine != dialect.Postgres && engine != dialect.MySQL && is.Kind == column.Text
	case column.UUID, column.Address:
		return engine != dialect.Postgres && is.Kind == column.Text
	case column.Integer:
		return is.Kind == column.Decimal && is.Scale == 0 && engine != dialect.SQLite
	}
	return false
}

// holds reports whether a column of type is keeps all that one of type want does.
func holds(engine string, is, want column.Type) bool {
	if !is.Includes(want) || is.Unsigned && !want.Unsigned && is.Kind != column.Integer || is.IsYear() && (!want.IsYear() || is.Bits != want.Bits) {
		return false
	}
	switch want.Kind {
	case column.Integer:
		if is.Kind != column.Integer {
			return true
		}
		low, high := is.Range()
		wantLow, wantHigh := want.Range()
		return low <= wantLow && wantHigh <= high
	case column.Float:
		return is.Bits >= want.Bits && hasDigits(is, want)
	case column.Decimal:
		return hasDigits(is, want)
	case column.Text, column.Binary:
		return longest(engine, is) >= longest(engine, want)
	case column.Timestamp, column.TimeOfDay:
		if is.Name == "timestamp" && want.Name != is.Name && engine != dialect.Postgres {
			return false // it begins in 1970, and ends in 2038 or 2106
		}
		return is.Precision >= want.Precision
	}
	return true
}

// hasDigits reports whether a column of numbers of type is has as many digits as one of type
// want, in front of the point and behind it.
func hasDigits(is, want column.Type) bool {
	switch {
	case is.Precision == 0:
		return true
	case want.Precision == 0:
		return false
	}
	return is.Scale >= want.Scale && is.Precision-is.Scale >= want.Precision-want.Scale
}

// longest is roughly how long a text or how many bytes fit.
func longest(engine string, t column.Type) int {
	switch {
	case t.Length > 0:
		return t.Length
	case t.Members != "": // all of them, with commas, are the longest text of a SET
		most, all := 0, 0
		for _, member := range t.List() {
			n := utf8.RuneCountInString(member)
			most, all = max(most, n), all+n+1
		}
		if t.Name == "set" {
			return all - 1
		}
		return most
	}
	if engine == dialect.Postgres {
		if t.Name == "name" {
			return 63
		}
		return 1<<32 - 1
	}
	switch t.Name {
	case "tinytext", "tinyblob":
		return 1<<8 - 1
	case "text", "blob":
		return 1<<16 - 1
	case "mediumtext", "mediumblob":
		return 1<<24 - 1
	}
	return 1<<32 - 1
}

// exactly is how CreateTables has texts compared.
func exactly(server dialect.Server) string {
	switch server.Engine {
	case dialect.Postgres:
		return "a deterministic collation"
	case dialect.SQLite:
		return "BINARY"
	}
	return "utf8mb4 " + render.Collation(server)
}

func otherText(server dialect.Server, want column.Type, have tableColumn) bool {
	switch server.Engine {
	case dialect.MySQL, dialect.MariaDB:
		if want.Charset != "" {
			return !strings.EqualFold(want.Charset, have.charset)
		}
		return have.charset+" "+have.collation != exactly(server)
	case dialect.Postgres:
		if name := column.Parse(server.Engine, have.declared).Name; name == "citext" {
			return want.Name != name
		}
	}
	return have.collation != ""
}
