package tests

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A hook, and a wish to roll back, belong to the innermost block, like statements.
func TestB10_HooksAndSetRollbackWithTheOuterCtx(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ran := 0
		require.NoError(t, atomic.Do(t.Context(), db, func(outer context.Context) error {
			refused := func() {
				require.ErrorIs(t, atomic.OnCommit(outer, db, func(context.Context) error { ran++; return nil }), atomic.ErrOuterContext)
				require.ErrorIs(t, atomic.OnRollback(outer, db, func(context.Context) error { ran++; return nil }), atomic.ErrOuterContext)
				require.ErrorIs(t, atomic.SetRollback(outer, db, true), atomic.ErrOuterContext)
				require.ErrorIs(t, atomic.SetRollback(outer, db, false), atomic.ErrOuterContext)
			}
			require.ErrorIs(t, atomic.Do(outer, db, func(ctx context.Context) error {
				refused()
				return errAsked
			}), errAsked)
			tx, err := db.executor.SQL().BeginTx(outer, nil)
			require.NoError(t, err)
			refused()
			require.NoError(t, tx.Rollback())
			return db.insert(outer, 1)
		}))
		assert.Zero(t, ran)
		assert.Equal(t, []int{1}, db.kept())

		// With a session's ctx while a block is open in it.
		sess, ctx := db.session(t.Context())
		require.NoError(t, atomic.Do(ctx, db, func(inner context.Context) error {
			require.ErrorIs(t, atomic.OnCommit(ctx, db, nothing), atomic.ErrOuterContext)
			return nil
		}))
		require.NoError(t, sess.Close())
	})
}

func TestA02_HooksWithoutASession(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		off := db.again(manual)
		never := func(context.Context) error { assert.Fail(t, "it runs"); return nil }
		require.ErrorIs(t, atomic.OnCommit(t.Context(), off, never), atomic.ErrNoSession)
		require.ErrorIs(t, atomic.OnRollback(t.Context(), off, never), atomic.ErrNoSession)
	})
}

// Rollback is a wish of fn's own, and nothing besides.
func TestB20_AnErrorBesidesTheWish(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx, cause := t.Context(), errors.New("cause")
		do := func(how error) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 1)
				return how
			})
		}
		require.ErrorIs(t, do(errors.Join(cause, atomic.Rollback)), cause)
		require.ErrorIs(t, do(fmt.Errorf("%w: %w", atomic.Rollback, cause)), cause)
		require.NoError(t, do(fmt.Errorf("dry run: %w", atomic.Rollback)))
		require.NoError(t, do(errors.Join(nil, atomic.Rollback)))
		assert.Empty(t, db.kept())
	})
}

// What was asked for is what has happened: nothing is kept, whether or not a
// statement had failed before.
func TestB20_ADryRunThatFailed(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for what, ask := range map[string]func(ctx context.Context) error{
			"Rollback":    func(context.Context) error { return atomic.Rollback },
			"SetRollback": func(ctx context.Context) error { return atomic.SetRollback(ctx, db, true) },
		} {
			dry := func(ctx context.Context) error {
				db.mustRefuse(ctx)
				return ask(ctx)
			}
			require.NoError(t, atomic.Do(t.Context(), db, dry), what)
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				require.NoError(t, atomic.Do(ctx, db, dry), what)
				require.NoError(t, db.insert(ctx, 1), what)
				return ask(ctx)
			}), what)
		}
		assert.Empty(t, db.kept())
	})
}

// Somebody else's Rollback is not fn's.
func TestB20_SomebodyElsesRollback(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		// As the cause of ctx.
		ctx, cancel := context.WithCancelCause(t.Context())
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			cancel(atomic.Rollback)
			return db.insert(ctx, 2)
		})
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, atomic.Rollback)
		err = atomic.Do(ctx, db, func(context.Context) error { return nil })
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, atomic.Rollback)
		ctx, cancel = context.WithCancelCause(t.Context())
		require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			cancel(atomic.Rollback)
			return context.Cause(ctx)
		}), context.Canceled)
		require.ErrorIs(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(atomic.Rollback)
			_, err := db.executor.Exec(ctx, block.Statement{SQL: "DELETE FROM t"})
			return err
		}), context.Canceled)

		// In the error of a hook.
		err = atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				return atomic.OnCommit(ctx, db, func(context.Context) error { return atomic.Rollback })
			}, atomic.Propagation(atomic.Independent))
		})
		var hook *atomic.HookError
		require.ErrorAs(t, err, &hook)
		assert.Empty(t, db.kept())
	})
}

// What is apart from the block of its ctx is not apart from that block's end.
func TestB09_ApartFromABlockThatHasEnded(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var ended, suspended, failed context.Context
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			ended = ctx
			return atomic.Do(ctx, db, func(ctx context.Context) error { suspended = ctx; return nil }, atomic.Propagation(atomic.Suspended))
		}))
		for _, mode := range []atomic.PropagationMode{atomic.Nested, atomic.Join, atomic.Mandatory, atomic.Independent, atomic.Never, atomic.Suspended} {
			for _, ctx := range []context.Context{ended, suspended} {
				require.ErrorIs(t, atomic.Do(ctx, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil },
					atomic.Propagation(mode)), atomic.ErrBlockClosed, mode)
			}
		}
		require.ErrorIs(t, db.insert(suspended, 1), atomic.ErrBlockClosed)
		_, _, err := atomic.OpenSession(suspended, db)
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		require.ErrorIs(t, atomic.OnCommit(suspended, db, nothing), atomic.ErrBlockClosed)
		assert.Empty(t, db.kept())
		// One that has failed is still in progress: its failure can be noted elsewhere.
		if db.Engine == testdb.SQLite {
			return
		}
		require.Error(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			failed = ctx
			db.mustRefuse(ctx)
			return atomic.Do(failed, db, func(ctx context.Context) error { return db.insert(ctx, 7) }, atomic.Propagation(atomic.Independent))
		}))
		assert.Equal(t, []int{7}, db.kept())
	})
}

// Errors say what happened, and not something like it.
func TestB06_Words(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var point *atomic.Point
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) (err error) {
			point, err = atomic.Savepoint(ctx, db)
			return err
		}))
		err := point.Rollback(t.Context())
		require.ErrorIs(t, err, atomic.ErrBlockClosed)
		assert.NotContains(t, err.Error(), "ctx")

		err = atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_, err := db.executor.SQL().BeginTx(ctx, nil)
			return err
		})
		require.ErrorIs(t, err, atomic.ErrOuterContext)
		assert.NotContains(t, err.Error(), "goroutine")
		assert.Contains(t, err.Error(), "Commit or Rollback")

		err = atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_ = atomic.Do(ctx, db, func(context.Context) error { return errAsked }, atomic.NoSavepoint())
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		assert.NotContains(t, err.Error(), "a statement")
		assert.Contains(t, err.Error(), "joined")
	})
}
