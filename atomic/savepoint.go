package atomic

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// Point is a savepoint set by hand (rule B24).
type Point struct{ point seam.Point }

// Savepoint sets a savepoint in the block of ctx, for code that must steer by
// hand; a nested Do is the safer way. Nothing is sent before the next statement.
// It also works in the transaction of a session. Outside both it returns
// ErrNotInBlock.
func Savepoint(ctx context.Context, db DB) (*Point, error) {
	p, err := executor(db).Savepoint(ctx)
	if err != nil {
		return nil, err
	}
	return &Point{p}, nil
}

// Rollback undoes everything since the savepoint, which stays: what was
// written, the mark of a statement that has failed since, the savepoints and
// the hooks. After a failure that ended the whole transaction (rule B8) it
// returns ErrRollbackRequired.
func (p *Point) Rollback(ctx context.Context) error { return p.point.Rollback(ctx) }

// Release forgets the savepoint and keeps what was done since.
func (p *Point) Release(ctx context.Context) error { return p.point.Release(ctx) }
