package orm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestL01_ContradictoryOptions(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := orm.Objects[Audio](db)
		for name, opts := range map[string][]orm.LockOption{
			"skip and nowait":  {orm.SkipLocked, orm.NoWait},
			"wait and nowait":  {orm.Wait(time.Second), orm.NoWait},
			"skip and wait":    {orm.SkipLocked, orm.Wait(time.Second)},
			"two waits":        {orm.Wait(time.Second), orm.Wait(2 * time.Second)},
			"negative wait":    {orm.Wait(-1)},
			"two strengths":    {orm.Share, orm.NoKey},
			"of nothing":       {orm.Of()},
			"the same twice":   {orm.Of("self", "self")},
			"nil":              {nil},
			"wait 0 and skip":  {orm.Wait(0), orm.SkipLocked},
			"share, key share": {orm.Share, orm.KeyShare},
		} {
			t.Run(name, func(t *testing.T) {
				q := all.SelectForUpdate(opts...)
				require.ErrorIs(t, q.Err(), orm.ErrLockOptions)
				_, _, err := q.SQL(ctx)
				require.ErrorIs(t, err, orm.ErrLockOptions)
				inBlock(ctx, t, db, func(ctx context.Context) {
					_, err = q.All(ctx)
					require.ErrorIs(t, err, orm.ErrLockOptions)
				})
			})
		}
		require.NoError(t, all.SelectForUpdate(orm.NoWait, orm.NoWait, orm.Wait(0)).Err())
	})
}

func TestL02_OutsideABlock(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		q := orm.Objects[Audio](db).SelectForUpdate()
		require.NoError(t, q.Err(), "building it is fine")
		_, err := q.All(ctx)
		require.ErrorIs(t, err, atomic.ErrNotInBlock)
		_, err = q.Get(ctx)
		require.ErrorIs(t, err, atomic.ErrNotInBlock)
		_, err = q.Exists(ctx)
		require.ErrorIs(t, err, atomic.ErrNotInBlock)
		for _, err := range q.Iterate(ctx) {
			require.ErrorIs(t, err, atomic.ErrNotInBlock)
		}
		row := &Owner{}
		row.ID = 1
		require.ErrorIs(t, orm.Lock(ctx, db, row), atomic.ErrNotInBlock)
	})
}

func TestL03_UnsupportedIsNamed(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		s := db.Server()
		for option, c := range map[orm.LockOption]dialect.Capability{
			orm.NoKey: dialect.NoKeyUpdate, orm.KeyShare: dialect.KeyShare, orm.Share: dialect.ForShare, orm.SkipLocked: dialect.SkipLocked,
		} {
			err := orm.Objects[Audio](db).SelectForUpdate(option).Err()
			if s.Can(c) {
				require.NoError(t, err)
				continue
			}
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			require.ErrorContains(t, err, c.String()+" is not supported by "+s.String())
		}
		err := orm.Objects[Audio](db).SelectForUpdate(orm.Of("self")).Err()
		if s.Can(dialect.Of) {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		}
	})
}

func TestL05_Clauses(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		q := orm.Objects[Audio](db).Related("project")
		replaced := q.SelectForUpdate(orm.SkipLocked).SelectForUpdate(orm.NoWait)
		text, _, err := replaced.SQL(ctx)
		require.NoError(t, err)
		require.NotContains(t, text, "SKIP LOCKED")

		require.ErrorIs(t, q.AlsoLock(orm.NoWait).Err(), orm.ErrLockOptions)
		require.ErrorIs(t, q.SelectForUpdate().AlsoLock(orm.Of("project")).Err(), orm.ErrLockOptions)
		require.ErrorIs(t, q.SelectForUpdate(orm.Of("self")).AlsoLock(orm.NoWait).Err(), orm.ErrLockOptions)
		require.ErrorIs(t, q.SelectForUpdate(orm.Of("self")).AlsoLock(orm.Of("self")).Err(), orm.ErrLockOptions)
		two := q.SelectForUpdate(orm.SkipLocked, orm.Of("self")).AlsoLock(orm.NoWait, orm.Share, orm.Of("project"))
		if !db.Server().Can(dialect.Of) {
			require.ErrorIs(t, two.Err(), dialect.ErrUnsupported)
			return
		}
		text, _, err = two.SQL(ctx)
		require.NoError(t, err)
		text = strings.NewReplacer("`", "", `"`, "").Replace(text)
		if db.Server().Engine != dialect.SQLite {
			require.Contains(t, text, " FOR UPDATE OF audio SKIP LOCKED FOR SHARE OF project NOWAIT")
		}
		inBlock(ctx, t, db, func(ctx context.Context) {
			_, err := two.All(ctx)
			require.NoError(t, err)
		})
	})
}

func TestL06_QueriesThatCannotLock(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		q := orm.Objects[Audio](db).SelectForUpdate()
		require.ErrorIs(t, q.Distinct().Err(), orm.ErrLockOptions)
		_, err := q.Count(ctx)
		require.ErrorIs(t, err, orm.ErrLockOptions)
		_, err = orm.Aggregate[float64](ctx, q, query.Avg(F("speed")))
		require.ErrorIs(t, err, orm.ErrLockOptions)
		require.NoError(t, q.Related("project").Err())
		require.ErrorIs(t, q.Related("project.owner").Err(), orm.ErrLockOptions)
		require.ErrorIs(t, q.Filter(F("project.owner.name").Eq("Ada")).Err(), orm.ErrLockOptions)
		err = orm.Objects[Project](db).Related("owner").SelectForUpdate(orm.Of("owner")).Err()
		require.ErrorIs(t, err, orm.ErrLockOptions)
		found := q.LeftJoin("found", query.Select(orm.Objects[Project](db), F("id")), F("project_id").Eq(F("found.id")))
		_, err = found.All(ctx)
		require.ErrorIs(t, err, orm.ErrLockOptions)
		_, err = orm.Select[int64](ctx, q.GroupBy("project_id"), query.Count())
		require.ErrorIs(t, err, orm.ErrLockOptions)
		place := query.RowNumber().Over(query.Partition().OrderBy("id"))
		for _, of := range []query.Operand{query.Count(), query.Sum(F("index")).Div(2), place, query.Sum(F("index")).Over(query.Partition()).Add(1)} {
			_, err = orm.Select[int64](ctx, q, of)
			require.ErrorIs(t, err, orm.ErrLockOptions)
		}
		_, err = q.OrderByExpr(place.Desc()).All(ctx)
		require.ErrorIs(t, err, orm.ErrLockOptions)
		inBlock(ctx, t, db, func(ctx context.Context) { // those of a sub-select are its own
			sum := query.Select(orm.Objects[Audio](db), query.Sum(F("index")))
			_, err := orm.Select[*int64](ctx, q.Filter(F("index").Lt(sum)).OrderByExpr(sum.Expr().Asc()), sum.Expr())
			require.NoError(t, err)
		})
		if db.Server().Can(dialect.Of) {
			require.NoError(t, orm.Objects[Project](db).Related("owner").SelectForUpdate(orm.Of("self")).Err())
			inBlock(ctx, t, db, func(ctx context.Context) { // where it runs, and locks the one table
				_, err := found.SelectForUpdate(orm.Of("self")).All(ctx)
				require.NoError(t, err)
			})
		}
		var fe *query.FieldError
		require.ErrorAs(t, orm.Objects[Audio](db).Related("project").SelectForUpdate(orm.Of("projects")).Err(), &fe)
		require.Equal(t, []string{"self", "project"}, fe.Choices)
		require.ErrorAs(t, q.SelectForUpdate(orm.Of("project")).Err(), &fe)
		require.Contains(t, fe.Reason, `Related("project")`)
	})
}

func TestL04_ALockedRow(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db := open(t, at)
		require.NoError(t, orm.CreateTables(ctx, db, (*Audio)(nil), (*Project)(nil), (*Owner)(nil)))
		_, rows := studio(ctx, t, db, 3)
		held, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			_ = atomic.Do(ctx, db, func(ctx context.Context) error {
				r := *rows[0]
				if err := orm.Lock(ctx, db, &r); err != nil {
					return err
				}
				close(held)
				<-release
				return nil
			})
		}()
		select {
		case <-held:
		case <-done:
			t.Fatal("the row could not be locked")
		}
		defer func() { close(release); <-done }()

		get := func(ctx context.Context, opts ...orm.LockOption) ([]*Audio, error) {
			var got []*Audio
			err := atomic.Do(ctx, db, func(ctx context.Context) (err error) {
				got, err = orm.Objects[Audio](db).OrderBy("index").SelectForUpdate(opts...).All(ctx)
				return err
			})
			return got, err
		}
		_, err := get(ctx, orm.NoWait)
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		began := time.Now()
		_, err = get(ctx, orm.Wait(200*time.Millisecond))
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
		if at.Engine != testserver.SQLite && db.Server().Can(dialect.SkipLocked) {
			got, err := get(ctx, orm.SkipLocked)
			require.NoError(t, err)
			require.Equal(t, []int{1, 2}, indexes(got))
		}
	})
}

func TestLockRefreshesARow(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 2)
		stale := *rows[0]
		stale.Project = &Project{Name: "kept"}
		_, err := orm.Objects[Audio](db).Filter(F("id").Eq(stale.ID)).Update(ctx, query.Set("text", "fresh"))
		require.NoError(t, err)
		inBlock(ctx, t, db, func(ctx context.Context) {
			require.NoError(t, orm.Lock(ctx, db, &stale, orm.NoWait))
			require.Equal(t, "fresh", stale.Text)
			require.NotNil(t, stale.Project)
			gone := *rows[1]
			_, err := orm.Objects[Audio](db).Filter(F("id").Eq(gone.ID)).Delete(ctx)
			require.NoError(t, err)
			require.ErrorIs(t, orm.Lock(ctx, db, &gone), orm.ErrNotFound)
			_, err = orm.Objects[Audio](db).Filter(F("id").Eq(gone.ID)).SelectForUpdate().Get(ctx)
			require.ErrorIs(t, err, orm.ErrNotFound)
			require.ErrorContains(t, orm.Lock(ctx, db, (*Audio)(nil)), "the row is nil")
		})
	})
}
