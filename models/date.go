package models

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// Date is a day without a time and without a zone, such as a birthday, in a
// column of type DATE, which orm.CreateTables makes of it. It is bound and read as
// 2006-01-02, whatever zone the program or the server is in. The zero Date is no
// day, and NULL in the database.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day that it is at t, in the zone in which t is written.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads a day that is written as 2006-01-02.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("models: no date written as %s", time.DateOnly)
	}
	return DateOf(t), nil
}

// IsZero reports whether d is no day.
func (d Date) IsZero() bool { return d == Date{} }

// String is d as 2006-01-02, and "" for no day.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// In is the time at which the day begins in a zone: midnight, but where the
// clocks go forward at midnight.
func (d Date) In(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// AddDays is the day that is n days after d, before it if n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.In(time.UTC).AddDate(0, 0, n)) }

// Compare is -1 if d is before other, 0 if it is the same day, and else 1.
func (d Date) Compare(other Date) int { return d.In(time.UTC).Compare(other.In(time.UTC)) }

// valid reports whether there is such a day, in the years 1 to 9999.
func (d Date) valid() bool { return d.Year >= 1 && d.Year <= 9999 && DateOf(d.In(time.UTC)) == d }

var errDate = fmt.Errorf("models: no such day in the years 1 to 9999")

// Value implements driver.Valuer. A day that does not exist, such as the 30th of
// February, is an error.
func (d Date) Value() (driver.Value, error) {
	switch {
	case d.IsZero():
		return nil, nil
	case !d.valid():
		return nil, errDate
	}
	return d.String(), nil
}

// Scan implements sql.Scanner.
func (d *Date) Scan(src any) error {
	var err error
	switch src := src.(type) {
	case nil:
		*d = Date{}
	case time.Time:
		*d = DateOf(src)
	case string:
		*d, err = ParseDate(src)
	case []byte:
		*d, err = ParseDate(string(src))
	default:
		return fmt.Errorf("models: a %T is no date", src)
	}
	return err
}

// MarshalJSON writes d as "2006-01-02", and null for no day.
func (d Date) MarshalJSON() ([]byte, error) {
	switch {
	case d.IsZero():
		return []byte("null"), nil
	case !d.valid():
		return nil, errDate
	}
	return json.Marshal(d.String())
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Date) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s == nil {
		*d = Date{}
		return nil
	}
	var err error
	*d, err = ParseDate(*s)
	return err
}

// ColumnType is the type of the column that orm.CreateTables makes.
func (Date) ColumnType() string { return "date" }
