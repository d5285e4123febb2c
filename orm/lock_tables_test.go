package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
)

// A block of its own that tries to lock a row of either table without waiting.
func free[T any](ctx context.Context, db *orm.DB, row *T) error {
	return atomic.Do(ctx, db, func(ctx context.Context) error {
		copied := *row
		return orm.Lock(ctx, db, &copied, orm.NoWait)
	})
}

func TestL01_OfLocksTheNamedTablesOnly(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx, db := t.Context(), open(t, at)
		require.NoError(t, orm.CreateTables(ctx, db, (*Audio)(nil), (*Project)(nil), (*Owner)(nil)))
		project, rows := studio(ctx, t, db, 2)
		one := orm.Objects[Audio](db).Related("project").Filter(F("id").Eq(rows[0].ID))
		for _, c := range []struct {
			opts           []orm.LockOption
			audio, project bool // locked
		}{
			{nil, true, true},
			{[]orm.LockOption{orm.Of("self")}, true, false},
			{[]orm.LockOption{orm.Of("project")}, false, true},
			{[]orm.LockOption{orm.Of("project", "self")}, true, true},
		} {
			inBlock(ctx, t, db, func(inside context.Context) {
				_, err := one.SelectForUpdate(c.opts...).Get(inside)
				require.NoError(t, err)
				for _, tried := range []struct {
					err    error
					locked bool
				}{{free(ctx, db, rows[0]), c.audio}, {free(ctx, db, project), c.project}} {
					if tried.locked {
						require.ErrorIs(t, tried.err, dialect.ErrLockNotAvailable)
					} else {
						require.NoError(t, tried.err)
					}
				}
				require.NoError(t, free(ctx, db, rows[1]), "another row")
			})
		}
	}, testserver.MySQL, testserver.Postgres)
}

func TestL05_EachClauseActsOnItsOwnTable(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx, db := t.Context(), open(t, at)
		require.NoError(t, orm.CreateTables(ctx, db, (*Audio)(nil), (*Project)(nil), (*Owner)(nil)))
		project, rows := studio(ctx, t, db, 3)
		claim := func() ([]*Audio, error) {
			return atomic.Value(ctx, db, func(ctx context.Context) ([]*Audio, error) {
				return orm.Objects[Audio](db).Related("project").OrderBy("index").
					SelectForUpdate(orm.SkipLocked, orm.Of("self")).AlsoLock(orm.NoWait, orm.Of("project")).All(ctx)
			})
		}
		inBlock(ctx, t, db, func(inside context.Context) {
			held := *rows[1]
			require.NoError(t, orm.Lock(inside, db, &held))
			got, err := claim()
			require.NoError(t, err)
			require.Equal(t, []int{0, 2}, indexes(got), "skipped")
		})
		inBlock(ctx, t, db, func(inside context.Context) {
			held := *project
			require.NoError(t, orm.Lock(inside, db, &held))
			_, err := claim()
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable, "not skipped")
		})
		got, err := claim()
		require.NoError(t, err)
		require.Len(t, got, 3)
	}, testserver.MySQL, testserver.Postgres)
}
