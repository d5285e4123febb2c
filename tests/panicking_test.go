package tests

import (
	"context"
	"database/sql/driver"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
)

// bomb is a value whose type does not return.
type bomb struct{ goexit bool }

func (b bomb) Value() (driver.Value, error) {
	if b.goexit {
		runtime.Goexit()
	}
	panic(b)
}

// safely runs f where a panic, or the end of its goroutine, ends nothing else.
func safely(f func()) (recovered any) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { recovered = recover() }()
		f()
	}()
	<-done
	return recovered
}

// A value whose type panics ends the nested block that it was sent in, and leaves
// the block around it, and the connection, as they were.
func TestB03_AValueThatPanics(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, b := range []bomb{{}, {goexit: true}} {
			for _, known := range []bool{false, true} {
				require.NoError(t, db.exec(t.Context(), "DELETE FROM t"))
				text := "INSERT INTO t (id, v) VALUES (?, 0)"
				if !known {
					text += " -- " + t.Name() + map[bool]string{true: "goexit"}[b.goexit]
				}
				err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
					db.mustInsert(ctx, 1)
					err := atomic.Do(ctx, db, func(ctx context.Context) error {
						db.mustInsert(ctx, 2)
						return errAsked
					})
					require.ErrorIs(t, err, errAsked)
					recovered := safely(func() {
						_ = atomic.Do(ctx, db, func(ctx context.Context) error {
							return db.exec(ctx, text, b)
						})
					})
					assert.Equal(t, !b.goexit, recovered != nil)
					return db.insert(ctx, 3)
				})
				require.NoError(t, err)
				assert.Equal(t, []int{1, 3}, db.kept())
			}
		}
	})
}

// A session goes on as well.
func TestB03_AValueThatPanicsInASession(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for name, db := range map[string]*database{"autocommit": db, "manual": db.again(manual)} {
			for _, text := range []string{"INSERT INTO t (id, v) VALUES (?, 0)", "INSERT INTO t (id, v) VALUES (?, 1)"} {
				sess, ctx := db.session(t.Context())
				require.NoError(t, db.exec(ctx, "DELETE FROM t"))
				require.NoError(t, db.exec(ctx, "INSERT INTO t (id, v) VALUES (?, 0)", 1))
				assert.NotNil(t, safely(func() { _ = db.exec(ctx, text, bomb{}) }), name)
				if name == "manual" {
					require.ErrorIs(t, db.insert(ctx, 2), atomic.ErrRollbackRequired, "it is marked, as by any failure (B6)")
					require.NoError(t, sess.Rollback(ctx))
				}
				require.NoError(t, db.insert(ctx, 3), name)
				if name == "manual" {
					require.NoError(t, sess.Commit(ctx))
				}
				assert.Contains(t, db.kept(), 3, name)
				require.NoError(t, db.exec(ctx, "DELETE FROM t"))
				if name == "manual" {
					require.NoError(t, sess.Commit(ctx))
				}
				require.NoError(t, sess.Close(), name)
			}
		}
	})
}
