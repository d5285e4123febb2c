package tests

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

var errAsked = errors.New("asked for")

func TestB04_AFailureUndoesItsOwnPart(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 2)
				require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 3) }))
				return errAsked
			})
			require.ErrorIs(t, err, errAsked)
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 4)
				err := atomic.Do(ctx, db, func(ctx context.Context) error {
					db.mustInsert(ctx, 5)
					return errAsked
				})
				require.ErrorIs(t, err, errAsked)
				return db.insert(ctx, 6)
			}))
			return db.insert(ctx, 7)
		}))
		db.idle()
		assert.Equal(t, []int{1, 4, 6, 7}, db.kept())
	})
}

func TestB04_TheOuterTakesTheInnerWithIt(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 1) }))
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		assert.Empty(t, db.kept())
	})
}

func TestB05_NoSavepointJoins(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		inner := map[string]func(ctx context.Context) error{
			"returns an error":     func(context.Context) error { return errAsked },
			"swallows a refusal":   func(ctx context.Context) error { _ = db.refused(ctx); return nil },
			"asks for a rollback":  func(context.Context) error { return atomic.Rollback },
			"sets the rollback":    func(ctx context.Context) error { return atomic.SetRollback(ctx, db, true) },
			"panics, and is saved": func(context.Context) error { panic("saved") },
		}
		for what, fn := range inner {
			var further error
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 1)
				func() {
					defer func() { _ = recover() }()
					_ = atomic.Do(ctx, db, func(ctx context.Context) error {
						db.mustInsert(ctx, 2)
						return fn(ctx)
					}, atomic.NoSavepoint())
				}()
				assert.True(t, atomic.NeedsRollback(ctx, db), what)
				further = db.insert(ctx, 3)
				return nil
			})
			db.idle()
			require.ErrorIs(t, further, atomic.ErrRollbackRequired, what)
			require.ErrorIs(t, err, atomic.ErrRollbackRequired, what)
			assert.Empty(t, db.kept(), what)
		}

		// Its success is the outer's, it costs no savepoint, and outside any
		// block the option has no effect.
		db.wires.take()
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			return atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 2) }, atomic.NoSavepoint())
		}, atomic.NoSavepoint()))
		assert.NotContains(t, strings.Join(db.wires.take(), "\n"), "SAVEPOINT")
		assert.Equal(t, []int{1, 2}, db.kept())
	})
}

func TestB05_OnlyAsFarAsTheNextSavepoint(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 2)
				_ = atomic.Do(ctx, db, db.refused, atomic.NoSavepoint())
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			require.ErrorIs(t, err, dialect.ErrNotNullViolation)
			return db.insert(ctx, 3)
		}))
		assert.Equal(t, []int{1, 3}, db.kept())
	})
}

func TestB07_TheOuterIsCleanAfterwards(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			for i := range 3 { // one after the other
				err := atomic.Do(ctx, db, func(ctx context.Context) error {
					db.mustInsert(ctx, 10+i)
					return db.insert(ctx, 1)
				})
				require.ErrorIs(t, err, dialect.ErrUniqueViolation)
				assert.False(t, atomic.NeedsRollback(ctx, db))
				n, err := db.count(ctx)
				require.NoError(t, err)
				assert.EqualValues(t, 1+i, n)
				db.mustInsert(ctx, 20+i)
			}
			// First thing in a block, two levels down, nothing else sent yet.
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				err := atomic.Do(ctx, db, db.refused)
				require.ErrorIs(t, err, dialect.ErrNotNullViolation)
				return db.insert(ctx, 30)
			})
			require.NoError(t, err)
			return nil
		}))
		db.idle()
		assert.Equal(t, []int{1, 20, 21, 22, 30}, db.kept())
	})
}

// The failure of the very first statement of a transaction leaves an outer block
// that is as good as new.
func TestB07_TheFirstStatementFails(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			err := atomic.Do(ctx, db, db.refused)
			require.ErrorIs(t, err, dialect.ErrNotNullViolation)
			return db.insert(ctx, 1)
		}))
		assert.Equal(t, []int{1}, db.kept())
	})
}

func TestB14_DurableInsideABlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			err := atomic.Do(ctx, db, func(context.Context) error {
				assert.Fail(t, "fn runs")
				return nil
			}, atomic.Durable())
			require.ErrorIs(t, err, atomic.ErrDurable)
			assert.False(t, atomic.NeedsRollback(ctx, db))
			// Another database is another matter.
			other := db.again(setup{})
			require.NoError(t, atomic.Do(ctx, other, func(context.Context) error { return nil }, atomic.Durable()))
			return db.insert(ctx, 2)
		}, atomic.Durable()))
		assert.Equal(t, []int{1, 2}, db.kept())
	})
}

func TestB20_ARollbackThatIsAskedFor(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			return atomic.Rollback
		}))
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(t, atomic.SetRollback(ctx, db, true))
			assert.True(t, atomic.NeedsRollback(ctx, db))
			return db.insert(ctx, 2) // statements may go on
		}))
		db.idle()
		assert.Empty(t, db.kept())

		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 3)
			require.NoError(t, atomic.SetRollback(ctx, db, true))
			require.NoError(t, atomic.SetRollback(ctx, db, false)) // and taken back
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 4)
				return atomic.Rollback // of the nested block alone
			}))
			return nil
		}))
		assert.Equal(t, []int{3}, db.kept())

		// It is no way around B6, and an error of fn is an error.
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			_ = db.refused(ctx)
			require.ErrorIs(t, atomic.SetRollback(ctx, db, false), atomic.ErrRollbackRequired)
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		err = atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(t, atomic.SetRollback(ctx, db, true))
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		require.ErrorIs(t, atomic.SetRollback(ctx, db, true), atomic.ErrNotInBlock)
	})
}

func TestB21_AnEmptyBlockCostsNothing(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		_, err := db.count(ctx)
		require.NoError(t, err)
		db.wires.take()
		held, err := db.pool().Conn(ctx) // no connection is left to take
		require.NoError(t, err)
		db.pool().SetMaxOpenConns(1)
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				return atomic.OnCommit(ctx, db, func(context.Context) error { return nil })
			})
		}, atomic.ReadOnly()))
		require.ErrorIs(t, atomic.Do(ctx, db, func(context.Context) error { return errAsked }), errAsked)
		assert.Empty(t, db.wires.take())
		require.NoError(t, held.Close())
	})
}

func TestB21_TheConnectionIsTakenAtTheFirstStatement(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.idle()
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				db.idle()
				db.mustInsert(ctx, 1)
				assert.Equal(t, 1, db.pool().Stats().InUse)
				return nil
			})
		}))
		db.idle()
		sent := db.wires.take()
		assert.Equal(t, "COMMIT", sent[len(sent)-1])
		assert.NotContains(t, strings.Join(sent, "\n"), "RELEASE", "needless before COMMIT")
	})
}
