package models

// Versioned is the column version, which counts the changes of a row: an
// optimistic lock. Save writes only if the row in the database still has the
// version that was read, and returns orm.ErrStale if somebody else has changed
// it since. Create begins with 1; Save and Update count up.
//
// A row that was saved in a block that is rolled back afterwards has a version
// that the database never saw. Read it again, as a retried block does anyway.
type Versioned struct {
	Version int64 `bun:",notnull"`
}

// VersionField returns the field that package orm counts.
func (v *Versioned) VersionField() *int64 { return &v.Version }
