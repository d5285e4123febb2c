package tests

import (
	"context"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
)

// asking is a value that has to be asked for.
type asking func() (driver.Value, error)

func (a asking) Value() (driver.Value, error) { return a() }

// A Valuer that uses the block of its own statement is told so, and does not wait for
// itself; it may use another.
func TestB10_AValuerUsesItsBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		limited, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		uses := map[string]func(ctx context.Context) error{
			"a statement": func(ctx context.Context) error { return db.insert(ctx, 5) },
			"rows":        func(ctx context.Context) error { _, err := db.count(ctx); return err },
			"a block": func(ctx context.Context) error {
				return atomic.Do(ctx, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil })
			},
		}
		for what, use := range uses {
			with := func(ctx context.Context) error {
				return db.exec(ctx, "INSERT INTO t (id, v) VALUES (?, ?)", 2, asking(func() (driver.Value, error) { return int64(1), use(ctx) }))
			}
			require.ErrorIs(t, atomic.Do(limited, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 1)
				require.ErrorIs(t, with(ctx), atomic.ErrRowsOpen, what)
				return nil
			}), atomic.ErrRollbackRequired, what)
			sess, ctx := db.session(limited)
			require.ErrorIs(t, with(ctx), atomic.ErrRowsOpen, what)
			require.NoError(t, sess.Close())
		}
		require.Empty(t, db.kept())
		require.NoError(t, atomic.Do(limited, db, func(ctx context.Context) error {
			return db.exec(ctx, "INSERT INTO t (id, v) VALUES (?, ?)", 1, asking(func() (v driver.Value, err error) {
				return db.count(limited)
			}))
		}))
		assert.Equal(t, []int{1}, db.kept())
	})
}
