package ast

// Calendar is a part of a time in UTC, or of a day, as a whole number.
type Calendar struct {
	Of   Node
	Part CalendarPart
}

// CalendarPart is what a [Calendar] looks at.
type CalendarPart uint8

// The parts of times.
const (
	Year CalendarPart = iota
	Month
	Day
	Hour
	Minute
	Second
	Weekday
	YearDay
	ISOWeek
	ISOYear
)

func (p CalendarPart) String() string {
	return [...]string{"Year", "Month", "Day", "Hour", "Minute", "Second", "Weekday", "YearDay", "ISOWeek", "ISOYear"}[p]
}

// OfDay reports whether p is a part of a time that a day does not have.
func (p CalendarPart) OfDay() bool { return Hour <= p && p <= Second }

func (Calendar) node() {}
