package render

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// truncations are times in whole units; those of days come after those of times.
var truncations = [...]form{
	ast.Seconds: cutAfter("%Y-%m-%d %H:%i:%S", "second", "substr(@1, 1, 19) || '"),
	ast.Minutes: cutAfter("%Y-%m-%d %H:%i:00", "minute", "substr(@1, 1, 16) || ':00"),
	ast.Hours:   cutAfter("%Y-%m-%d %H:00:00", "hour", "substr(@1, 1, 13) || ':00:00"),
	ast.Days:    cutAfter("%Y-%m-%d", "day", "substr(@1, 1, 10) || ' 00:00:00"),
	ast.Weeks: {
		mysql:    "CAST(DATE(@1) - INTERVAL WEEKDAY(@1) DAY AS DATETIME(6))",
		postgres: "date_trunc('week', @1)",
		sqlite:   "(date(" + sqliteDay + ", '-6 days', 'weekday 1') || ' 00:00:00.000000+00:00')",
	},
	ast.Months: cutAfter("%Y-%m-01", "month", "substr(@1, 1, 7) || '-01 00:00:00"),
	ast.Years:  cutAfter("%Y-01-01", "year", "substr(@1, 1, 4) || '-01-01 00:00:00"),
}

func cutAfter(mysql, postgres, sqlite string) form {
	return form{
		mysql:    "CAST(DATE_FORMAT(@1, '" + mysql + "') AS DATETIME(6))",
		postgres: "date_trunc('" + postgres + "', @1)",
		sqlite:   "(" + sqlite + ".000000+00:00')",
	}
}

// Of a day. PostgreSQL's date_trunc would go by way of the session's zone, but for
// a time without one.
var (
	dayTruncated = form{mysql: "CAST(@1 AS DATE)", postgres: "CAST(@1 AS date)", sqlite: "substr(@1, 1, 10)"}
	dayAsTime    = form{mysql: "@1", postgres: "CAST(@1 AS timestamp)", sqlite: "@1"}
)

// truncated writes Truncate (rule S54).
func (w *writer) truncated(n ast.Truncated) kind {
	k, p := w.timeOf(n.Of, "query.Truncate")
	w.fitsUnit(k, n.To)
	if w.err != nil {
		return kind{}
	}
	trunc := truncations[n.To].of(w)
	if k.Kind == column.Date {
		_, p = w.filled(dayAsTime.of(w), p)
		_, p = w.filled(trunc, p)
		w.fill(dayTruncated.of(w), p)
		return of(column.Date)
	}
	_, p = w.filled(trunc, w.inUTC(k, p))
	return w.fromUTC(k, p, 0)
}

// filled is a form that is a part of another.
func (w *writer) filled(form string, parts ...part) (kind, part) {
	return w.part(func() kind {
		w.fill(form, parts...)
		return kind{}
	})
}

// fromUTC writes what was calculated with a time as it is written in UTC: a time with
// so many digits of a second.
func (w *writer) fromUTC(k kind, p part, digits int) kind {
	w.put(w.inUTC(k, p)) // PostgreSQL's AT TIME ZONE leads in both directions
	return kind{Type: column.Type{Kind: column.Timestamp, Precision: digits, Zoned: k.Zoned}}
}

func (w *writer) fitsUnit(k kind, u ast.Unit) {
	switch {
	case w.err != nil:
	case u > ast.Years:
		w.fail(&query.ValueError{Type: "query.Unit", Reason: "is no unit of times"})
	case k.Kind == column.Date && u < ast.Days:
		w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is a date has no query." + u.String()})
	}
}

// steps is what a unit is in months, or else in seconds.
var steps = [...]shift{
	ast.Seconds: {seconds: 1}, ast.Minutes: {seconds: 60}, ast.Hours: {seconds: 3600}, ast.Days: {seconds: 86400}, ast.Weeks: {seconds: 7 * 86400},
	ast.Months: {months: 1}, ast.Years: {months: 12},
}

// shifted writes Shift.
func (w *writer) shifted(n ast.Shifted) kind {
	k, p := w.timeOf(n.Of, "query.Shift")
	if w.fitsUnit(k, n.Unit); w.err != nil {
		return kind{}
	}
	step, count := steps[n.Unit], int64(n.N)
	s := shift{months: count * step.months, seconds: count * step.seconds}
	if count > mostSteps || count < -mostSteps || s.tooFar() {
		w.fail(&query.ValueError{Type: "int", Reason: "is more than the " + n.Unit.String() + " that there are in the years 1 to 9999"})
		return kind{}
	}
	return w.later(k, p, s)
}

// duration writes a time and a time.Duration that is added to it, or taken from it; it
// reports false if n is another sum.
func (w *writer) duration(n ast.Arithmetic) (kind, bool) {
	right := n.Right
	if constant, ok := right.(ast.Value); ok {
		right = constant.V
	}
	d, ok := right.(time.Duration)
	if !ok || n.Op != ast.Add && n.Op != ast.Sub {
		return kind{}, false
	}
	if k := w.tried(n.Left); !k.isTime() {
		if v, isValue := n.Left.(ast.Value); !isValue || base(reflect.TypeOf(v.V)) != timeType {
			return kind{}, false
		}
	}
	k, p := w.timeOf(n.Left, "query.Expr.Add")
	if k.Kind == column.Date && w.err == nil {
		w.fail(&query.ValueError{Field: k.name(), Type: "time.Duration", Reason: "cannot be added to a date, nor taken from it: move it by days with query.Shift"})
	}
	seconds, fraction := int64(d/time.Second), int64(d%time.Second)
	if n.Op == ast.Sub {
		seconds, fraction = -seconds, -fraction
	}
	micro := int64(math.Floor(float64(fraction) / 1e3)) // cut off of the sum, and not of its parts
	return w.later(k, p, shift{seconds: seconds, micro: micro}.normal()), true
}

// shift is how far a time is moved: by months, or else by seconds and their
// millionths.
type shift struct{ months, seconds, micro int64 }

// normal is s with 0 to 999999 millionths.
func (s shift) normal() shift {
	if s.micro < 0 {
		s.seconds, s.micro = s.seconds-1, s.micro+1e6
	}
	return s
}

// digits is how many digits of a second s has.
func (s shift) digits() int {
	n := 6
	for micro := s.micro; n > 0 && micro%10 == 0; micro /= 10 {
		n--
	}
	return n
}

// mostSteps is more of the smallest unit than there are, and few enough to multiply.
const mostSteps = 9999 * 366 * 86400

// tooFar reports whether no time can be moved by s.
func (s shift) tooFar() bool {
	if max(s.months, -s.months) > 9999*12 {
		return true
	}
	edge := s.limit()
	return edge.Before(firstTime) || edge.After(lastTime)
}

func (s shift) forward() bool { return s.months > 0 || s.seconds >= 0 && s.months == 0 }

var (
	firstTime = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

// limit is the last time, or the first, that can be moved by s.
func (s shift) limit() time.Time {
	switch {
	case s.months > 0: // every day of the month, since the last ones become one
		return firstTime.AddDate(9999, 0, 0).AddDate(0, int(-s.months), 0).Add(-time.Microsecond)
	case s.months < 0:
		return firstTime.AddDate(0, int(-s.months), 0)
	}
	at := lastTime
	if !s.forward() {
		at = firstTime
	}
	return time.Unix(at.Unix()-s.seconds, int64(at.Nanosecond())-s.micro*1000).UTC()
}

// What is moved is @1, by @2. SQLite's months run over, from 31 January to 3 March:
// the days of that month are taken back.
const (
	sqliteOver   = "CASE WHEN substr(@1, 9, 2) > '28' AND strftime('%d', " + sqliteDay + ", @2) < '04' THEN strftime('%d', " + sqliteDay + ", @2) ELSE '00' END"
	sqliteMonths = "date(" + sqliteDay + ", @2, '-' || (" + sqliteOver + ") || ' days')"
	sqliteMicro  = "(CAST(substr(@1, 21, 6) AS INTEGER) + @3)"
	sqliteTime   = "strftime('%Y-%m-%d %H:%M:%S', substr(@1, 1, 19), "
)

var (
	monthsLater  = form{mysql: "@1 + INTERVAL @2 MONTH", postgres: "@1 + CAST(CAST(@2 AS text) AS interval)", sqlite: sqliteMonths + " || substr(@1, 11)"}
	secondsLater = form{mysql: "@1 + INTERVAL @2 SECOND", postgres: "@1 + CAST(CAST(@2 AS text) AS interval)", sqlite: sqliteTime + "@2) || substr(@1, 20)"}
	microLater   = form{
		mysql:    "@1 + INTERVAL @2 MICROSECOND",
		postgres: "@1 + CAST(CAST(@2 AS text) AS interval)",
		sqlite:   sqliteTime + "(@2 + " + sqliteMicro + " / 1000000) || ' seconds') || printf('.%06d+00:00', " + sqliteMicro + " % 1000000)",
	}
	dayMonthsLater = form{mysql: "@1 + INTERVAL @2 MONTH", postgres: "CAST(@1 + CAST(CAST(@2 AS text) AS interval) AS date)", sqlite: sqliteMonths}
	daysLater      = form{mysql: "@1 + INTERVAL @2 DAY", postgres: "@1 + CAST(@2 AS integer)", sqlite: "date(@1, @2)"}
)

// later writes a time, or a day, that is moved. Behind the last time some servers
// have others, some NULL, and some an error.
func (w *writer) later(k kind, p part, s shift) kind {
	if w.err != nil {
		return kind{}
	}
	w.nullable = true
	edge, comparison := s.limit(), ">="
	if s.forward() {
		comparison = "<="
	}
	var bound any = edge
	if k.Kind == column.Date {
		bound = edge.Format(time.DateOnly)
	}
	bare := kind{Type: column.Type{Kind: k.Kind, Zoned: k.Zoned}}
	w.string("(CASE WHEN ")
	w.put(p)
	w.string(" " + comparison + " ")
	w.literal(bare, bound)
	w.string(" THEN ")
	by, f := w.amount(k, s)
	_, moved := w.filled(f.of(w), append([]part{w.inUTC(k, p)}, by...)...)
	if k.Kind == column.Date {
		w.put(moved)
	} else {
		_, moved = w.filled("(@1)", moved)
		bare = w.fromUTC(k, moved, max(k.Precision, s.digits()))
	}
	w.string(" END)")
	return bare
}

// amount is how a server is told how far.
func (w *writer) amount(k kind, s shift) ([]part, form) {
	unit, n, f := "months", s.months, monthsLater
	switch {
	case s.months != 0 && k.Kind == column.Date:
		f = dayMonthsLater
	case s.months != 0:
	case k.Kind == column.Date:
		unit, n, f = "days", s.seconds/86400, daysLater
	case s.micro != 0:
		unit, n, f = "", s.seconds, microLater
	default:
		unit, n, f = "seconds", s.seconds, secondsLater
	}
	switch {
	case w.overflows && s.micro != 0:
		return []part{w.constant(n), w.constant(s.micro)}, f
	case w.overflows:
		return []part{w.constant(fmt.Sprintf("%+d %s", n, unit))}, f
	case isMySQL(w.server.Engine) && s.micro != 0:
		return []part{w.constant(n*1e6 + s.micro)}, f
	case isMySQL(w.server.Engine) || unit == "days":
		return []part{w.constant(n)}, f
	case unit == "months":
		return []part{w.constant(fmt.Sprintf("%d months", n))}, f
	}
	return []part{w.constant(clock(s))}, f
}

// clock is a number of seconds as PostgreSQL reads it without rounding.
func clock(s shift) string {
	sign, micro := "", s.seconds*1e6+s.micro
	if micro < 0 {
		sign, micro = "-", -micro
	}
	return fmt.Sprintf("%s%d:%02d:%02d.%06d", sign, micro/3_600_000_000, micro/60_000_000%60, micro/1_000_000%60, micro%1_000_000)
}
