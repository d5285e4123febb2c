package query

import "github.com/holdfast-go/holdfast/internal/ast"

// Year is the year of a time in UTC, or of a day: 2026. As the other parts of
// times it takes a column of type DATE, which has no hours, or one of points in
// time, and is a whole number (rule S54).
func Year(e Operand) Expr { return calendar(ast.Year, e) }

// Month is the month of a time in UTC, or of a day, from 1 to 12.
func Month(e Operand) Expr { return calendar(ast.Month, e) }

// Day is the day of the month of a time in UTC, or of a day, from 1 to 31.
func Day(e Operand) Expr { return calendar(ast.Day, e) }

// Hour is the hour of a time in UTC, from 0 to 23.
func Hour(e Operand) Expr { return calendar(ast.Hour, e) }

// Minute is the minute of a time in UTC, from 0 to 59.
func Minute(e Operand) Expr { return calendar(ast.Minute, e) }

// Second is the second of a time in UTC, from 0 to 59, without its fraction.
func Second(e Operand) Expr { return calendar(ast.Second, e) }

// Weekday is the day of the week of a time in UTC, or of a day, as time.Weekday has
// it: Sunday is 0.
func Weekday(e Operand) Expr { return calendar(ast.Weekday, e) }

// YearDay is the day of the year of a time in UTC, or of a day, from 1 to 366.
func YearDay(e Operand) Expr { return calendar(ast.YearDay, e) }

// ISOWeek is the number of the week by ISO 8601, from 1 to 53, as by
// time.Time.ISOWeek: the week begins on Monday, and belongs to the year that has its
// Thursday, which is its [ISOYear].
func ISOWeek(e Operand) Expr { return calendar(ast.ISOWeek, e) }

// ISOYear is the year to which the week of [ISOWeek] belongs.
func ISOYear(e Operand) Expr { return calendar(ast.ISOYear, e) }

func calendar(part ast.CalendarPart, e Operand) Expr {
	return Expr{ast.Calendar{Of: nodeOf(e), Part: part}}
}

// Unit is a unit of the calendar, in UTC.
type Unit uint8

// The units of [Truncate] and [Shift]. Weeks begin on Monday.
const (
	Seconds Unit = iota
	Minutes
	Hours
	Days
	Weeks
	Months
	Years
)

// Elapsed is the time from one time to another, as a whole number of microseconds, which
// is negative if to comes first and NULL if one of them is: time.Duration(n) *
// time.Microsecond. Leap seconds are not counted, as by time.Time.Sub, and it spans the
// years 1 to 9999, for which a time.Duration is too short (rule S54).
func Elapsed(from, to Operand) Expr {
	return Expr{ast.Elapsed{From: nodeOf(from), To: nodeOf(to)}}
}

// Truncate is a time in whole units, of its calendar in UTC, or a day in whole weeks,
// months or years: the beginning of the hour, the Monday of the week, the first of
// the month. It is a time, or a day, again.
func Truncate(e Operand, to Unit) Expr {
	return Expr{ast.Truncated{Of: nodeOf(e), To: ast.Unit(to)}}
}

// Shift is a time or a day n units later, earlier if n is negative. Where the month
// has no such day it is its last: a month after 31 January is 28 February, and not
// 3 March as with time.Time.AddDate. Days have 24 hours, as they do in UTC. Outside
// the years 1 to 9999 it is NULL (rule S54).
//
// A time.Duration is added with [Expr.Add] and [Expr.Sub].
func Shift(e Operand, n int, unit Unit) Expr {
	return Expr{ast.Shifted{Of: nodeOf(e), N: n, Unit: ast.Unit(unit)}}
}
