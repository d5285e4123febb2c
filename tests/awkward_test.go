package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

// endsAt is a ctx that ends when it is asked for the n-th time whether it has.
type endsAt struct {
	context.Context
	cancel context.CancelFunc
	left   *int
}

// Err implements context.Context.
func (c endsAt) Err() error {
	if *c.left--; *c.left < 0 {
		c.cancel()
	}
	return c.Context.Err()
}

// However late ctx ends, as long as the statement was not sent the connection is as good
// as before: the block around goes on.
func TestB11_ACtxThatEndsBetweenTwoLooks(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for n := range 6 {
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				db.mustInsert(ctx, 10*n)

				err := atomic.Do(ctx, db, func(ctx context.Context) error {
					ctx, cancel := context.WithCancel(ctx)
					defer cancel()
					left := n
					_, err := db.executor.Exec(endsAt{ctx, cancel, &left}, block.Statement{SQL: "DELETE FROM t"})
					require.NotErrorIs(t, err, dialect.ErrConnectionLost, "look %d", n)
					return err
				})
				if err == nil {
					return errAsked // it was asked less often
				}
				require.ErrorIs(t, err, context.Canceled)
				return db.insert(ctx, 10*n+1)
			})
			if err != nil {
				require.ErrorIs(t, err, errAsked)
				break
			}
			assert.True(t, db.has(10*n) && db.has(10*n+1))
		}
	})
}
