package tests

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block"
)

func TestB16_HooksRunAfterTheOutermostCommitInOrder(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		var d diary
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			d.both(ctx, t, db, "1")
			db.mustInsert(ctx, 1)
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				d.both(ctx, t, db, "2")
				return atomic.Do(ctx, db, func(ctx context.Context) error {
					d.both(ctx, t, db, "3")
					return db.insert(ctx, 2)
				})
			}))
			d.both(ctx, t, db, "4")
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				d.both(ctx, t, db, "5")
				return nil
			}, atomic.NoSavepoint()))
			assert.Empty(t, d.take(), "before the commit")
			return nil
		}))
		assert.Equal(t, []string{"+1", "+2", "+3", "+4", "+5"}, d.take())
	})
}

// A hook runs outside the block: the data is there for all to see, and the
// connection is back.
func TestB16_HooksRunOutsideTheBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		ran := false
		require.NoError(t, atomic.Do(t.Context(), one, func(ctx context.Context) error {
			one.mustInsert(ctx, 1)
			return atomic.OnCommit(ctx, one, func(ctx context.Context) error {
				ran = true
				assert.False(t, atomic.In(ctx, one))
				one.idle()
				assert.Equal(t, []int{1}, one.kept())
				one.mustInsert(ctx, 2)
				assert.Equal(t, []int{1, 2}, one.kept(), "committed by itself")
				return atomic.Do(ctx, one, func(ctx context.Context) error { return one.insert(ctx, 3) }, atomic.Durable())
			})
		}))
		assert.True(t, ran)
		assert.Equal(t, []int{1, 2, 3}, db.kept())
	})
}

func TestB16_HooksOfWhatWasRolledBack(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		var d diary
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			d.both(ctx, t, db, "outer")
			_ = atomic.Do(ctx, db, func(ctx context.Context) error {
				d.both(ctx, t, db, "undone")
				require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
					d.both(ctx, t, db, "released, then undone")
					return db.insert(ctx, 1)
				}))
				return errAsked
			})
			_ = atomic.Do(ctx, db, func(ctx context.Context) error {
				d.both(ctx, t, db, "failed")
				return db.refused(ctx)
			})
			d.both(ctx, t, db, "last")
			return nil
		}))
		assert.Equal(t, []string{"+outer", "-undone", "-released, then undone", "-failed", "+last"}, d.take())

		for what, fn := range map[string]func(ctx context.Context) error{
			"an error":              func(context.Context) error { return errAsked },
			"a rollback asked for":  func(context.Context) error { return atomic.Rollback },
			"a swallowed statement": func(ctx context.Context) error { _ = db.refused(ctx); return nil },
		} {
			_ = atomic.Do(ctx, db, func(ctx context.Context) error {
				d.both(ctx, t, db, "1")
				require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { d.both(ctx, t, db, "2"); return nil }))
				return fn(ctx)
			})
			assert.Equal(t, []string{"-1", "-2"}, d.take(), what)
		}
	})
}

func TestB16_OutsideAnyBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		ran := 0
		count(ctx, t, db, atomic.OnCommit, &ran)
		assert.Equal(t, 1, ran, "at once")
		require.ErrorIs(t, atomic.OnCommit(ctx, db, func(context.Context) error { return errAsked }), errAsked)
		count(ctx, t, db, atomic.OnRollback, &ran)
		assert.Equal(t, 1, ran, "nothing can be rolled back")

		// A hook's hook: at once, or at the end of a block of the hook's own.
		var d diary
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			d.both(ctx, t, db, "before")
			require.NoError(t, atomic.OnCommit(ctx, db, func(ctx context.Context) error {
				d.both(ctx, t, db, "at once")
				err := atomic.Do(ctx, db, func(ctx context.Context) error {
					d.both(ctx, t, db, "in a block of its own")
					d.write("still in it")
					return db.insert(ctx, 1)
				})
				d.write("and out")
				return err
			}))
			d.both(ctx, t, db, "after")
			return nil
		}))
		assert.Equal(t, []string{"+before", "+at once", "still in it", "+in a block of its own", "and out", "+after"}, d.take())
	})
}

func TestB16_AFailingHook(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		var d diary
		fails := func(on register, ctx context.Context, opts ...atomic.HookOption) {
			require.NoError(t, on(ctx, db, func(context.Context) error { d.write("!"); return errAsked }, opts...))
		}
		n, err := atomic.Value(ctx, db, func(ctx context.Context) (int, error) {
			d.both(ctx, t, db, "1")
			fails(atomic.OnCommit, ctx)
			d.both(ctx, t, db, "2")
			d.both(ctx, t, db, "3")
			return 42, db.insert(ctx, 1)
		}, atomic.Name("order"))
		var failed *atomic.HookError
		require.ErrorAs(t, err, &failed)
		require.ErrorIs(t, err, errAsked)
		assert.True(t, failed.Committed)
		assert.Equal(t, 2, failed.Hook)
		assert.Equal(t, 2, failed.Skipped)
		assert.Contains(t, err.Error(), `"order"`)
		assert.Contains(t, err.Error(), "committed")
		assert.Equal(t, 42, n, "the value of a committed block")
		assert.Equal(t, []string{"+1", "!"}, d.take())
		assert.Equal(t, []int{1}, db.kept())

		err = atomic.Do(ctx, db, func(ctx context.Context) error {
			d.both(ctx, t, db, "1")
			fails(atomic.OnRollback, ctx)
			d.both(ctx, t, db, "2")
			db.mustInsert(ctx, 2)
			return errCancelled
		})
		require.ErrorIs(t, err, errCancelled)
		require.ErrorAs(t, err, &failed)
		assert.False(t, failed.Committed)
		assert.Equal(t, []string{"-1", "!"}, d.take())
		assert.Equal(t, []int{1}, db.kept())

		var log bytes.Buffer
		logged := db.again(setup{Settings: block.Settings{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
		require.NoError(t, atomic.Do(ctx, logged, func(ctx context.Context) error {
			d.both(ctx, t, logged, "1")
			require.NoError(t, atomic.OnCommit(ctx, logged, func(context.Context) error { d.write("!"); return errAsked }, atomic.Robust()))
			d.both(ctx, t, logged, "2")
			return nil
		}, atomic.Name("robust")))
		assert.Equal(t, []string{"+1", "!", "+2"}, d.take())
		assert.Contains(t, log.String(), errAsked.Error())
		assert.Contains(t, log.String(), "robust")
	})
}

// A panic or Goexit in a hook goes on, and leaves nothing behind.
func TestB16_AHookThatPanics(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for id, on := range []register{atomic.OnCommit, atomic.OnRollback} {
			value := errors.New("value")
			func() {
				defer func() { assert.Same(t, value, recover()) }()
				_ = atomic.Do(t.Context(), db, func(ctx context.Context) error {
					db.mustInsert(ctx, id)
					require.NoError(t, on(ctx, db, func(context.Context) error { panic(value) }))
					if id == 1 {
						return errAsked
					}
					return nil
				})
			}()
			db.idle()
			assert.Equal(t, []int{0}, db.kept())

			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = atomic.Do(context.Background(), db, func(ctx context.Context) error {
					assert.NoError(t, on(ctx, db, func(context.Context) error { runtime.Goexit(); return nil }))
					if id == 1 {
						return errAsked
					}
					return db.exec(ctx, "UPDATE t SET v = 7")
				})
			}()
			soon(t, "Goexit", ended)
			db.idle()
			assert.Equal(t, 7, db.value(0))
		}
	})
}

// A robust hook may panic: the hooks after it run.
func TestB16_ARobustHookThatPanics(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var d diary
		var log bytes.Buffer
		db = db.again(setup{Settings: block.Settings{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			require.NoError(t, atomic.OnCommit(ctx, db, func(context.Context) error { panic("in a hook") }, atomic.Robust()))
			d.both(ctx, t, db, "after")
			return db.insert(ctx, 1)
		}))
		assert.Equal(t, []string{"+after"}, d.take())
		assert.Equal(t, []int{1}, db.kept())
		assert.Contains(t, log.String(), "in a hook")
	})
}

// The hooks of an Independent block are its own: they run when it ends.
func TestB16_HooksOfAnIndependentBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var d diary
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			d.both(ctx, t, db, "outer")
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				d.both(ctx, t, db, "independent")
				return db.insert(ctx, 1)
			}, atomic.Propagation(atomic.Independent)))
			assert.Equal(t, []string{"+independent"}, d.take())
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				d.both(ctx, t, db, "suspended") // outside any block
				return nil
			}, atomic.Propagation(atomic.Suspended)))
			assert.Equal(t, []string{"+suspended"}, d.take())
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		assert.Equal(t, []string{"-outer"}, d.take())
	})
}
