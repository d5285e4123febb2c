package render

import (
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
)

// keep is what is sent for a value that the column is given, or an error if the
// server would refuse it, or keep another (rule S20): it rounds, cuts off, fills
// up and takes for a number without an error, each in its own way. What a
// comparison may hold is another matter: a column that ends at seconds can be
// compared with any time.
func (f *Field) keep(bound any, t reflect.Type) (any, error) {
	k := kind{f.Column, f}
	because := ""
	switch b := bound.(type) {
	case nil:
		return nil, nil
	case float64:
		because = k.keepsFloat(b)
	case int64:
		because = k.keepsWhole(b)
	case string:
		switch k.Kind {
		case column.Text:
			because = k.keepsText(b)
		case column.Float:
			if number, err := strconv.ParseFloat(b, 64); err == nil {
				because = k.keepsFloat(number)
			}
		case column.JSON:
			because = keepsJSON(k.engine(), b)
		case column.Address:
			because = k.keepsAddress(b)
		case column.TimeOfDay:
			if len(b) > len(time.TimeOnly)+1+k.Precision {
				because = finer
			}
		}
	case []byte:
		if k.Kind == column.Binary {
			because = k.keepsBytes(len(b))
		}
	case time.Time:
		because = k.keepsTime(b)
	default:
		if f.elem != nil {
			return f.elem.keepAll(b)
		}
	}
	if because != "" {
		return nil, k.refuse(t, because)
	}
	switch k.Kind {
	case column.Decimal:
		return k.keepsDecimal(bound, t)
	case column.JSON:
		return k.spelledJSON(bound), nil
	}
	return bound, nil
}

// spelledJSON is a document as the server compares it.
func (k kind) spelledJSON(bound any) any {
	if s, ok := bound.(string); ok && k.field != nil {
		return spelledJSON(k.engine(), s)
	}
	return bound
}

func (k kind) engine() string { return k.field.Model.models.server.Engine }

func isMySQL(engine string) bool { return engine == dialect.MySQL || engine == dialect.MariaDB }

const notNumber = "is NaN, which is not even equal to itself"

// keepsFloat: NaN is refused on every engine, since it is equal to itself on
// PostgreSQL alone.
func (k kind) keepsFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return notNumber
	case math.IsInf(f, 0) && (isMySQL(k.engine()) || k.Kind != column.Float):
		return "is infinite, which the column cannot hold"
	case k.narrowed(f):
		return tooFine
	case k.Kind == column.Float && k.Precision > 0:
		_, because := k.keepsPlaces(f)
		return because
	}
	return ""
}

const tooFine = "has more digits than a column of 4 bytes keeps: make its field a float32, or the column wider"

// narrowed reports whether f is another number in 4 bytes, which is what k has.
func (k kind) narrowed(f float64) bool {
	return k.Kind == column.Float && k.Bits == 32 && float64(float32(f)) != f && !math.IsNaN(f)
}

// mysqlBytes is the length of the longest texts of MySQL's types without a length, in
// bytes.
func mysqlBytes(name string) (most int, limited bool) {
	switch name {
	case "tinytext", "tinyblob":
		return 1<<8 - 1, true
	case "text", "blob":
		return 1<<16 - 1, true
	case "mediumtext", "mediumblob":
		return 1<<24 - 1, true
	}
	return 0, false
}

const tooLong = "is longer than the column"

func (k kind) keepsText(s string) string {
	engine := k.engine()
	switch {
	case k.Members != "":
		return k.keepsMember(s)
	case engine == dialect.SQLite:
	case !utf8.ValidString(s):
		return "is no valid UTF-8"
	case engine == dialect.Postgres && strings.IndexByte(s, 0) >= 0:
		return "holds a NUL, which PostgreSQL's texts cannot"
	case strings.IndexByte(s, 0) >= 0 && endsAtNUL(k.field.Model.models.server):
		return holdsNUL
	}
	if because := k.cuts(s); because != "" {
		return because
	}
	if k.Length > 0 && len(s) > k.Length && utf8.RuneCountInString(s) > k.Length {
		return tooLong
	}
	if isMySQL(engine) {
		if most, limited := mysqlBytes(k.Name); limited && len(s) > most {
			return tooLong
		}
		if has, known := representable(k.Charset, s); known && !has { // of another the server tells
			return "has characters that are not in the column's character set"
		}
	}
	if k.Fixed && strings.HasSuffix(s, " ") { // MySQL cuts them off, PostgreSQL adds to them
		return "ends with a blank, which a column of type CHAR does not keep"
	}
	return ""
}

// roomOfName is how many bytes PostgreSQL's type name has room for (its manual, "Special
// Character Types"). It cuts off what is longer, also of a text beside such a column.
const roomOfName = 63

func (k kind) cuts(s string) string {
	if k.Name == "name" && len(s) > roomOfName && (k.field == nil || k.engine() == dialect.Postgres) {
		return "is longer than the 63 bytes of PostgreSQL's type name"
	}
	return ""
}

// endsAtNUL reports whether the server takes two texts for equal that are alike up
// to a NUL. MariaDB 10.5.23 does, in the collations that do not pad; 10.11 does not,
// and what lies between was not tried.
func endsAtNUL(server dialect.Server) bool {
	return server.Engine == dialect.MariaDB && !server.Version.AtLeast(10, 11, 0)
}

const holdsNUL = "holds a NUL, at which MariaDB before 10.11 stops to compare texts"

func (k kind) keepsBytes(n int) string {
	if !isMySQL(k.engine()) {
		return "" // a length means nothing to them
	}
	most, limited := mysqlBytes(k.Name)
	switch {
	case k.Length > 0 && n > k.Length, limited && n > most:
		return tooLong
	case k.Fixed && n < k.Length:
		return "is shorter than the column, which fills it up with zeros: make its type VARBINARY"
	}
	return ""
}

// MySQL's TIMESTAMP, by its manual, "Date and Time Data Types"; MariaDB's goes on
// to 2106 since 11.5, on some machines.
var (
	firstTimestamp = time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC)
	lastTimestamp  = time.Date(2038, 1, 19, 3, 14, 7, 999999999, time.UTC)
)

const finer = "is finer than the column, which would round it"

func (k kind) keepsTime(t time.Time) string {
	if k.Kind != column.Timestamp {
		return ""
	}
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return "is not within the years 1 to 9999 in UTC"
	}
	if isMySQL(k.engine()) && k.Name == "timestamp" && (t.Before(firstTimestamp) || t.After(lastTimestamp)) {
		return "is not within 1970 to 2038, where a column of type TIMESTAMP ends: make it DATETIME"
	}
	if unit := k.unit(); k.Precision < 6 && !t.Truncate(unit).Equal(t) {
		return finer + ": cut it off with Truncate(" + unit.String() + ")"
	}
	return ""
}

// unit is how fine the times are that the column keeps.
func (k kind) unit() time.Duration {
	unit := time.Second
	for range min(k.Precision, 6) {
		unit /= 10
	}
	return unit
}

// ClockTime is t, by the library's clock, as the column keeps it. Nobody has chosen it, so
// that nothing is lost if the rest is cut off; a time that an application gives is refused.
func (f *Field) ClockTime(t time.Time) time.Time {
	switch k := (kind{f.Column, f}); k.Kind {
	case column.Timestamp:
		return t.Truncate(k.unit())
	case column.Date:
		return t.UTC().Truncate(24 * time.Hour)
	}
	return t
}

// daily is what stands for a value beside a column of days or of times of a day.
func (k kind) daily(bound any, t reflect.Type) (any, error) {
	switch k.Kind {
	case column.Date:
		return k.day(bound, t)
	case column.TimeOfDay:
		return k.clock(bound, t)
	}
	return bound, nil
}

// day is the date that stands for a value beside a column of days: as it is
// written, in whatever zone (rule S21). A time that has an hour is a day in one zone and
// another in the next.
func (k kind) day(bound any, t reflect.Type) (any, error) {
	var at time.Time
	switch b := bound.(type) {
	case nil:
		return nil, nil
	case time.Time:
		if h, m, s := b.Clock(); h != 0 || m != 0 || s != 0 || b.Nanosecond() != 0 {
			return nil, k.refuse(t, "has an hour, which a column of days cannot hold: say which day is meant, in which zone, or use models.Date")
		}
		at = b
	case string:
		var err error
		if at, err = time.Parse(time.DateOnly, b); err != nil {
			return nil, k.refuse(t, "is no date written as 2006-01-02")
		}
	default:
		return nil, k.refuse(t, "")
	}
	if at.Year() < 1 || at.Year() > 9999 {
		return nil, k.refuse(t, "is not within the years 1 to 9999")
	}
	return at.Format(time.DateOnly), nil
}

var timeOfDay = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?$`)

// clock is the text of a time of day. MySQL takes many more, and counts to 838
// hours.
func (k kind) clock(bound any, t reflect.Type) (any, error) {
	s, ok := bound.(string)
	if !ok || !timeOfDay.MatchString(s) {
		return nil, k.refuse(t, "is no time of day written as 15:04:05")
	}
	if _, fraction, has := strings.Cut(s, "."); has {
		if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
			s = s[:len(time.TimeOnly)]
		} else {
			s = s[:len(time.TimeOnly)+1] + fraction
		}
	}
	return s, nil
}
