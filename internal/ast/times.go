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

// Truncated is a time without what is smaller than a unit.
type Truncated struct {
	Of Node
	To Unit
}

// Shifted is a time N units later.
type Shifted struct {
	Of   Node
	N    int
	Unit Unit
}

// Elapsed is the time between two times, in microseconds.
type Elapsed struct{ From, To Node }

// Unit is a unit of times.
type Unit uint8

// The units, the smallest first.
const (
	Seconds Unit = iota
	Minutes
	Hours
	Days
	Weeks
	Months
	Years
)

func (u Unit) String() string {
	return [...]string{"Seconds", "Minutes", "Hours", "Days", "Weeks", "Months", "Years"}[u]
}

func (Truncated) node() {}
func (Shifted) node()   {}
func (Elapsed) node()   {}
