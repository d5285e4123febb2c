package orm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// long is a condition that takes the server some seconds for the last row.
func long(db *orm.DB, seconds int) query.Cond {
	sleep := "(? = 0 OR SLEEP(?) = 0)"
	if db.Server().Engine == dialect.Postgres {
		sleep = "(? = 0 OR pg_sleep(?) IS NOT NULL)"
	}
	return query.Raw(sleep, F("index"), seconds)
}

// manyAndASlowOne creates the rows for it, and enough of them in front of the last:
// a server sends what it has when its buffer is full.
func manyAndASlowOne(ctx context.Context, t *testing.T, db *orm.DB) {
	t.Helper()
	_, rows := studio(ctx, t, db, 1)
	for range 40 {
		big := *rows[0]
		big.ID, big.Text = 0, strings.Repeat("x", 1000)
		require.NoError(t, orm.Objects[Audio](db).Create(ctx, &big))
	}
	last := *rows[0]
	last.ID, last.Index = 0, 1
	require.NoError(t, orm.Objects[Audio](db).Create(ctx, &last))
}

// Whoever has enough rows does not wait for the rest of them.
func TestIterateIsLeftEarly(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine == dialect.SQLite {
			return // works on a row when it is asked for it
		}
		manyAndASlowOne(ctx, t, db)
		began := time.Now()
		for _, err := range orm.Objects[Audio](db).Filter(long(db, 60)).Iterate(ctx) {
			require.NoError(t, err)
			require.Less(t, time.Since(began), 30*time.Second, "the first row came")
			break
		}
		require.Less(t, time.Since(began), 30*time.Second)

		text := "SELECT text FROM audio WHERE " + map[bool]string{true: `"index" = 0 OR pg_sleep(60) IS NOT NULL`, false: "`index` = 0 OR SLEEP(60) = 0"}[db.Server().Engine == dialect.Postgres]
		var first string
		began = time.Now()
		require.NoError(t, db.QueryRow(ctx, text).Scan(&first))
		require.Less(t, time.Since(began), 30*time.Second)

		stream, err := db.Query(ctx, text)
		require.NoError(t, err)
		require.True(t, stream.Next())
		began = time.Now()
		require.NoError(t, stream.Close(), "nobody wanted the rest")
		require.Less(t, time.Since(began), 30*time.Second)

		n, err := orm.Objects[Audio](db).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 42, n)
	})
}

// In a block the connection is needed for what follows: the rest is waited for, and
// nothing is lost by that. Who does not want to wait limits the block.
func TestB10_RowsLeftEarlyInABlock(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine == dialect.SQLite {
			return // works on a row when it is asked for it
		}
		manyAndASlowOne(ctx, t, db)
		all := orm.Objects[Audio](db)
		leave := func(ctx context.Context, seconds int, then ...func()) {
			for _, err := range all.Filter(long(db, seconds)).Iterate(ctx) {
				require.NoError(t, err)
				for _, fn := range then {
					defer time.AfterFunc(200*time.Millisecond, fn).Stop()
				}
				break
			}
		}
		inBlock(ctx, t, db, func(ctx context.Context) {
			mine := &Owner{Name: "mine"}
			require.NoError(t, orm.Objects[Owner](db).Create(ctx, mine))
			leave(ctx, 1)
			n, err := orm.Objects[Owner](db).Filter(F("name").Eq("mine")).Update(ctx, query.Set("name", "still mine"))
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { // its savepoint too
				leave(ctx, 1)
				return orm.Objects[Owner](db).Create(ctx, &Owner{Name: "nested"})
			}))
		})
		n, err := orm.Objects[Owner](db).Filter(F("name").In("still mine", "nested")).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n, "all of it is committed")

		began := time.Now()
		err = atomic.Do(ctx, db, func(ctx context.Context) error {
			leave(ctx, 60)
			return orm.Objects[Owner](db).Create(ctx, &Owner{Name: "too late"})
		}, atomic.Timeout(10*time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(began), 30*time.Second)

		began = time.Now()
		canceled, cancel := context.WithCancel(ctx)
		err = atomic.Do(canceled, db, func(ctx context.Context) error {
			leave(ctx, 60, cancel)
			return orm.Objects[Owner](db).Create(ctx, &Owner{Name: "too late"})
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(began), 30*time.Second)
		found, err := orm.Objects[Owner](db).Filter(F("name").Eq("too late")).Exists(ctx)
		require.NoError(t, err)
		require.False(t, found)
	})
}
