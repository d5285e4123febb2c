package render

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

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
// numbers and times are texts, it is one that equals those that are bound.
func (f *Field) Default() string {
	k := kind{f.Column, f}
	if n, ok := parse(strings.Trim(f.SQLDefault, "'")); ok && k.Kind == column.Decimal && k.engine() == dialect.SQLite {
		return "'" + k.spelled(n) + "'"
	}
	if k.Kind == column.Text && k.engine() == dialect.SQLite && f.IndirectType == timeType {
		k.Kind, k.Precision = column.Timestamp, 6 // as the driver writes it
	}
	if k.Kind.Time() {
		return k.defaultTime(strings.TrimSpace(f.SQLDefault))
	}
	return f.SQLDefault
}

// What the tag default says of a time that is the server's.
var (
	presentTime  = regexp.MustCompile(`(?i)^\(?(now|current_timestamp|localtimestamp|localtime)(\([0-6]?\))?\)?$`)
	presentDay   = regexp.MustCompile(`(?i)^\(?(current_date|curdate)(\(\))?\)?$`)
	presentClock = regexp.MustCompile(`(?i)^\(?(current_time|curtime)(\([0-6]?\))?\)?$`)
)

// defaultTime is a default as the engine takes it for a column of times. SQLite would keep
// current_timestamp without a fraction and a zone, as a text that equals no time that is
// bound, and stands elsewhere in an order; MySQL wants it as fine as the column, and in
// parentheses what else it computes.
func (k kind) defaultTime(text string) string {
	now, day, clock := presentTime.MatchString(text), presentDay.MatchString(text), presentClock.MatchString(text)
	mysql := isMySQL(k.engine())
	switch {
	case k.engine() == dialect.Postgres:
	case k.Kind == column.Date && (now || day):
		return "(CURRENT_DATE)"
	case k.Kind == column.TimeOfDay && (now || clock):
		return "(CURRENT_TIME" + k.digits() + ")"
	case k.Kind != column.Timestamp:
	case mysql && now:
		return "CURRENT_TIMESTAMP" + k.digits()
	case mysql && day:
		return "(CURRENT_DATE)"
	case mysql:
	case now && k.Precision < 3:
		return "(strftime('%Y-%m-%d %H:%M:%S.000000+00:00', 'now'))"
	case now:
		return "(" + spellings[dialect.SQLite].now + ")"
	case day:
		return "(date('now') || ' 00:00:00.000000+00:00')"
	default:
		return boundTime(text)
	}
	return text
}

// digits is how many decimal places MySQL's functions are told.
func (k kind) digits() string {
	if k.Precision == 0 || !isMySQL(k.engine()) {
		return ""
	}
	return "(" + strconv.Itoa(k.Precision) + ")"
}

// boundTime is the text of a time as SQLite's times are bound, if it is one.
func boundTime(text string) string {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(text, "'"), "'")
	if !ok {
		return text
	}
	for _, layout := range []string{time.DateOnly, time.DateTime, time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, inner); err == nil {
			return at.UTC().Format("'2006-01-02 15:04:05.000000+00:00'")
		}
	}
	return text
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
