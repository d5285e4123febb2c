package models

import "github.com/google/uuid"

// AutoID is a primary key that the server counts up: column id, BIGINT. Create
// leaves a zero ID to the server and fills it in.
type AutoID struct {
	ID int64 `bun:",pk,autoincrement"`
}

// UUID is a primary key that Create fills in before it sends the row: column
// id. The keys are of version 7 (RFC 9562), which begin with the time, so that
// new rows stand beside each other in the index.
type UUID struct {
	ID uuid.UUID `bun:",pk"`
}

// NewKey gives the row its key if it has none. Create calls it.
func (u *UUID) NewKey() error {
	if u.ID != uuid.Nil {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	u.ID = id
	return nil
}
