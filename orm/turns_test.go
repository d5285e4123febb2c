package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// eachCounted runs a test on each server, whose one connection goes through a
// proxy. turns is the round trips of what has run before.
func eachCounted(t *testing.T, test func(t *testing.T, db *orm.DB, turns func(run func()) int)) {
	t.Helper()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		p := proxy.New(t, at.Addr)
		at.DSN = at.Via(p.Addr())
		db := open(t, at, orm.MaxOpenConns(1), orm.MaxIdleConns(1))
		test(t, db, func(run func()) int {
			run()
			return p.During(run).Turns
		})
	}, testserver.Servers()...)
}

// by is a number for each engine: MySQL, MariaDB, PostgreSQL.
func by(db *orm.DB, my, ma, pg int) int {
	return map[string]int{dialect.MySQL: my, dialect.MariaDB: ma, dialect.Postgres: pg}[db.Server().Engine]
}

func TestS42_RoundTrips(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *orm.DB, turns func(run func()) int) {
		ctx := context.Background()
		require.NoError(t, orm.CreateTables(ctx, db, (*Job)(nil)))
		queue := orm.Objects[Job](db)
		claim := queue.Filter(F("state").Eq("ready")).OrderBy("id").Limit(2).SelectForUpdate(claim(db)...)
		ready := func() {
			require.NoError(t, queue.BulkCreate(ctx, []*Job{{Name: "a", State: "ready"}, {Name: "b", State: "ready"}}))
		}
		counted := func(want int, run func() ([]*Job, error)) {
			t.Helper()
			ready()
			ready()
			require.Equal(t, want, turns(func() {
				got, err := run()
				require.NoError(t, err)
				require.Len(t, got, 2)
			}))
		}
		counted(by(db, 4, 4, 1), func() ([]*Job, error) { return claim.UpdateReturning(ctx, query.Set("state", "taken")) })
		counted(by(db, 3, 3, 1), func() ([]*Job, error) { return claim.DeleteReturning(ctx) })
		require.Equal(t, by(db, 3, 1, 1), turns(func() {
			ready()
			_, err := queue.DeleteReturning(ctx)
			require.NoError(t, err)
		})-turns(ready))
	})
}

func TestS09_RoundTrips(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *orm.DB, turns func(run func()) int) {
		ctx := context.Background()
		require.NoError(t, orm.CreateTables(ctx, db, (*Owner)(nil)))
		create := func(n int) func() {
			return func() {
				owners := make([]*Owner, n)
				for i := range owners {
					owners[i] = &Owner{Name: "x"}
				}
				require.NoError(t, orm.Objects[Owner](db).BulkCreate(ctx, owners))
				got, err := orm.Objects[Owner](db).OrderBy("-id").Limit(1).Get(ctx)
				require.NoError(t, err)
				require.Equal(t, owners[n-1].ID, got.ID)
			}
		}
		require.Equal(t, 1+1, turns(create(1)))
		require.Equal(t, 1+1, turns(create(100)), "the keys come with the answer")
		require.Equal(t, 3+1, turns(create(1500)), "two statements and COMMIT")
	})
}
