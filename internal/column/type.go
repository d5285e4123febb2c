package column

import "math"

// Kind is what sort of values a column holds.
type Kind uint8

// The kinds of columns.
const (
	Unknown   Kind = iota // nothing is known
	Integer               // whole numbers
	Decimal               // numbers with a fixed number of decimal places
	Float                 // binary floating-point numbers
	Text                  // characters, ENUM and SET among them
	Binary                // bytes
	Boolean               // true or false
	Date                  // days
	TimeOfDay             // hours without a day
	Timestamp             // points in time
	JSON                  // JSON values
	UUID                  // UUIDs in a type of their own
	Address               // network addresses in a type of their own
	Array                 // PostgreSQL's arrays
	Other                 // a type with rules of its own: bits, geometry, intervals, ranges
)

// String says what stands in the column, for errors: "an integer".
func (k Kind) String() string {
	return [...]string{"a value of unknown type", "an integer", "a decimal number", "a floating-point number", "text", "bytes", "a boolean",
		"a date", "a time of day", "a time", "JSON", "a UUID", "a network address", "an array", "a value of a type of its own"}[k]
}

// Number reports whether the kind can be calculated with.
func (k Kind) Number() bool { return k == Integer || k == Decimal || k == Float }

// Time reports whether values of the kind are times or parts of one.
func (k Kind) Time() bool { return k == Date || k == TimeOfDay || k == Timestamp }

// Type is the type of a column. Fields that say nothing of its kind are zero.
type Type struct {
	Kind Kind
	// Name is the type's own name in lower case, without what stands behind it:
	// "varchar", "timestamptz". It is "" where a Go type decided.
	Name string
	// Bits is the width of an Integer (8, 16, 24, 32 or 64) or a Float (32 or 64).
	Bits     int
	Unsigned bool // of a number
	// Precision is the number of digits of a Decimal, or of a Float that rounds to decimal
	// places as MySQL's DOUBLE(10,2) does; 0 where it is not limited. Of a TimeOfDay or a
	// Timestamp it is the number of decimal places of the seconds.
	Precision int
	Scale     int  // decimal places of a Decimal, or of such a Float
	Length    int  // of Text in characters, of Binary in bytes; 0: not limited
	Fixed     bool // Text or Binary that is filled up to its length
	Zoned     bool // a time with a zone
	// Foreign: the server's type is the application's own, and only the Go type
	// tells what it holds.
	Foreign bool
	// Part: a value within JSON, beside which a Go value stands for what it is as JSON,
	// and no text for JSON that is written already.
	Part bool
	// Charset is the character set of Text where the type names one.
	Charset string
	// Members are those of an ENUM or a SET, a zero byte behind each: see [Type.List].
	Members string
	// Elem is what the elements of an Array are, nil where nothing is known of them.
	Elem *Type
}

// IsYear reports whether the column is a YEAR of MySQL's, which takes 27 for 2027.
func (t Type) IsYear() bool { return t.Kind == Integer && t.Name == "year" && !t.Foreign }

// Year reports whether a YEAR keeps n as it is.
func (t Type) Year(n int64) bool {
	if t.Bits == 8 { // MariaDB's YEAR(2)
		return n >= 0 && n <= 99
	}
	return n == 0 || n >= FirstYear && n <= LastYear
}

// The years that a YEAR holds, beside 0.
const (
	FirstYear = 1901
	LastYear  = 2155
)

// Range is the least and the greatest whole number that an Integer holds.
func (t Type) Range() (low int64, high uint64) {
	bits := t.Bits
	if bits == 0 {
		bits = 64
	}
	switch {
	case t.IsYear() && bits == 8:
		return 0, 99
	case t.IsYear():
		return 0, LastYear
	}
	if t.Unsigned {
		return 0, math.MaxUint64 >> (64 - bits)
	}
	return math.MinInt64 >> (64 - bits), math.MaxInt64 >> (64 - bits)
}
