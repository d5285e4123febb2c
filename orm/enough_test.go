package orm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// long is a condition that takes the server long for the last row.
func long(db *orm.DB) query.Cond {
	sleep := "(? = 0 OR SLEEP(4) = 0)"
	if db.Server().Engine == dialect.Postgres {
		sleep = "(? = 0 OR pg_sleep(4) IS NOT NULL)"
	}
	return query.Raw(sleep, F("index"))
}

// Whoever has enough rows does not wait for the rest of them.
func TestIterateIsLeftEarly(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine == dialect.SQLite {
			return // works on a row when it is asked for it
		}
		_, rows := studio(ctx, t, db, 1)
		// A server sends what it has when its buffer is full.
		for range 40 {
			big := *rows[0]
			big.ID, big.Text = 0, strings.Repeat("x", 1000)
			require.NoError(t, orm.Objects[Audio](db).Create(ctx, &big))
		}
		last := *rows[0]
		last.ID, last.Index = 0, 1
		require.NoError(t, orm.Objects[Audio](db).Create(ctx, &last))
		began := time.Now()
		for _, err := range orm.Objects[Audio](db).Filter(long(db)).Iterate(ctx) {
			require.NoError(t, err)
			require.Less(t, time.Since(began), 3*time.Second, "the first row came")
			break
		}
		require.Less(t, time.Since(began), 3*time.Second)

		text := "SELECT text FROM audio WHERE " + map[bool]string{true: `"index" = 0 OR pg_sleep(4) IS NOT NULL`, false: "`index` = 0 OR SLEEP(4) = 0"}[db.Server().Engine == dialect.Postgres]
		var first string
		began = time.Now()
		require.NoError(t, db.QueryRow(ctx, text).Scan(&first))
		require.Less(t, time.Since(began), 3*time.Second)

		stream, err := db.Query(ctx, text)
		require.NoError(t, err)
		require.True(t, stream.Next())
		began = time.Now()
		require.NoError(t, stream.Close(), "nobody wanted the rest")
		require.Less(t, time.Since(began), 3*time.Second)

		n, err := orm.Objects[Audio](db).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 42, n)
	})
}
