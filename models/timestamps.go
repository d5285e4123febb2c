package models

import "time"

// Timestamps are the columns created_at and updated_at, in UTC and with a
// precision of a microsecond, by the clock of the application.
//
// Create sets both unless they are set already. Save sets UpdatedAt and never
// writes CreatedAt. Update sets updated_at for the rows that it changes, unless
// it is given a value of its own. In columns of your own that are coarser (see
// TimestampFields) the times are as fine as they are (rule S28).
type Timestamps struct {
	CreatedAt time.Time `bun:",notnull,skipupdate"`
	UpdatedAt time.Time `bun:",notnull"`
}

// TimestampFields returns the fields that package orm sets.
func (t *Timestamps) TimestampFields() (created, updated *time.Time) {
	return &t.CreatedAt, &t.UpdatedAt
}
