package models

import (
	"time"

	"github.com/uptrace/bun/schema"
)

// Once is a row of the table holdfast_once, in which atomic.Once keeps its results:
// create it with orm.CreateTables, or by a migration tool of your own with the text
// OnceTable of the engine's package. An application looks at it, if at all, to find
// out what became of a key; rows are written by atomic.Once and deleted by
// atomic.PurgeOnce.
type Once struct {
	schema.BaseModel `bun:"table:holdfast_once"`

	ID          []byte     `bun:"id,pk"`                  // SHA-256 of the key
	Fingerprint []byte     `bun:",notnull"`               // of what was asked for; empty if nothing was said of it
	Failed      bool       `bun:",notnull,default:false"` // Result is an error of fn that is kept
	Result      []byte     // as it was encoded
	CreatedAt   time.Time  // by the server's clock, as is ExpiresAt
	ExpiresAt   *time.Time // nil: never
}
