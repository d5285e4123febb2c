package models

import "time"

// SoftDelete is the column deleted_at, which is NULL as long as a row is not deleted:
// Delete of package orm then marks rows instead of deleting them, and reads leave
// marked ones out (rules S60 to S64).
type SoftDelete struct {
	DeletedAt time.Time `bun:",soft_delete,nullzero"`
}
