package tests

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

// endings are the ways in which the last thing that a block does is to undo a part of
// itself in which a statement has failed.
func endings(t *testing.T, db *database) map[string]func(ctx context.Context) error {
	duplicate := func(ctx context.Context) {
		t.Helper()
		require.ErrorIs(t, db.insert(ctx, 1), dialect.ErrUniqueViolation)
	}
	nested := func(ctx context.Context, opts ...atomic.Option) {
		t.Helper()
		require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			return db.insert(ctx, 1)
		}, opts...), dialect.ErrUniqueViolation)
	}
	return map[string]func(ctx context.Context) error{
		"a nested block": func(ctx context.Context) error {
			nested(ctx)
			return nil
		},
		"one in one": func(ctx context.Context) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error { nested(ctx); return nil })
		},
		"one with a limit": func(ctx context.Context) error {
			nested(ctx, atomic.LockTimeout(time.Second), atomic.Name("inner"))
			return nil
		},
		"a wish": func(ctx context.Context) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				duplicate(ctx)
				return atomic.Rollback
			})
		},
		"a savepoint": func(ctx context.Context) error {
			p, err := atomic.Savepoint(ctx, db)
			require.NoError(t, err)
			duplicate(ctx)
			return p.Rollback(ctx)
		},
		"a text": func(ctx context.Context) error {
			require.NoError(t, db.exec(ctx, "SAVEPOINT here"))
			duplicate(ctx)
			return db.exec(ctx, "ROLLBACK TO here")
		},
	}
}

// Whatever asks something before COMMIT asks it in a transaction that goes on: what
// undoes the failed part has gone ahead.
func TestB07_TheOuterIsCommittedAfterwards(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		db.arrange(onceTable[db.Engine])
		ctx := t.Context()
		require.NoError(t, db.insert(ctx, 1))
		defaults := db.again(setup{Settings: block.Settings{Block: *atomic.Collect([]atomic.Option{atomic.ResolveCommit()})}})
		seen, err := db.executor.Seen(ctx, "")
		require.NoError(t, err)
		id := int64(1)
		for what, last := range endings(t, db) {
			work := func(ctx context.Context) error { id++; return errors.Join(db.insert(ctx, int(id)), last(ctx)) }
			result := func(ctx context.Context) (int64, error) { return id, work(ctx) }
			for how, run := range map[string]func() error{
				"nothing asks":  func() error { return atomic.Do(ctx, db, work) },
				"ResolveCommit": func() error { return atomic.Do(ctx, db, work, atomic.ResolveCommit()) },
				"with limits": func() error {
					return atomic.Do(ctx, db, work, atomic.ResolveCommit(), atomic.Timeout(time.Minute), atomic.LockTimeout(time.Minute))
				},
				"a token":                func() error { return atomic.Do(seen, db, work) },
				"a token, ResolveCommit": func() error { return atomic.Do(seen, db, work, atomic.ResolveCommit()) },
				"by default": func() error {
					return atomic.Do(ctx, defaults, func(ctx context.Context) error {
						id++
						return errors.Join(defaults.insert(ctx, int(id)), endings(t, defaults)[what](ctx))
					})
				},
				"Once": func() error { _, err := atomic.Once(ctx, db, what, result); return err },
				"Once, ResolveCommit": func() error {
					_, err := atomic.Once(ctx, db, what+"!", result, atomic.ResolveCommit())
					return err
				},
			} {
				require.NoError(t, run(), "%s, %s", what, how)
				assert.True(t, db.has(int(id)), "%s, %s", what, how)
			}
		}
		_, err = atomic.Once(ctx, db, "kept", func(ctx context.Context) (int, error) {
			return 0, errors.Join(db.insert(ctx, 1), errDeclined)
		}, atomic.KeepError(dialect.ErrUniqueViolation), atomic.ResolveCommit())
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		_, err = atomic.Once(ctx, db, "kept", func(context.Context) (int, error) { return 0, errAsked }, atomic.KeepError(dialect.ErrUniqueViolation), atomic.ResolveCommit())
		require.ErrorIs(t, err, dialect.ErrUniqueViolation, "it is kept")
	})
}
