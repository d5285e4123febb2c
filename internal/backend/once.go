package backend

import (
	"context"
	"time"
)

// OnceTable is the name of the table in which results of atomic.Once are kept.
// models.Once has its columns.
const OnceTable = "holdfast_once"

// OnceTexts are the statements on that table. An id and a fingerprint are 32 bytes each,
// or none. Time is the server's.
type OnceTexts struct {
	// Claim writes the row of a key, with an id, a fingerprint and a number of
	// microseconds after which it expires, or nil. One row is affected, or none if
	// there is one already: it then waits for a transaction that has it in progress.
	Claim string
	// Late is Claim as a control statement, which fails with
	// dialect.ErrUniqueViolation where there is a row. An id and a fingerprint are
	// hexadecimal digits here, which are ours and so may stand in the text.
	Late func(id, fingerprint string, keep time.Duration) string
	// Read finds the newest row of an id: whether it has expired (1 or 0), its
	// fingerprint, whether fn failed (likewise) and its result; and, where there is a
	// Confirm, whether commits wait for a standby (likewise).
	Read string
	// Confirm writes something whose COMMIT waits until a standby has all that was
	// committed before. "": the engine knows of no such waiting.
	Confirm string
	// Again is Claim for a row that has expired, with a fingerprint, a number of
	// microseconds and the id. None is affected if it has not.
	Again string
	// Finish stores a result for an id, and Fail what fn failed with.
	Finish, Fail string
	// Purge deletes so many rows that have expired.
	Purge string
	// Patience is how long to wait for a row at least: who has it locked may be there for
	// another.
	Patience time.Duration
	// Queues is true if transactions that write wait for each other in any case, so
	// that who waits cannot tell for which key.
	Queues bool
}

// CommitCarrier is a Wire on which a statement travels with COMMIT. It returns what
// Commit would; where the statement has failed, that is a *PrefixError. An element of
// args is a []byte.
type CommitCarrier interface {
	CommitWith(ctx context.Context, prefix []string, query string, args []any) error
}
