package orm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// A number that was written without its unit is found when the database is opened.
func TestB19_ALimitWithoutAUnit(t *testing.T) {
	ctx := t.Context()
	for want, o := range map[string]orm.Option{
		"WithCommitTimeout: WithCommitTimeout(30ns) is shorter": orm.WithCommitTimeout(30),
		"ReplicaWait: ReplicaWait(1ns) is shorter":              orm.ReplicaWait(1),
		"WithBlock: Timeout(5ns) is shorter":                    orm.WithBlock(atomic.Timeout(5)),
		"WithBlock: IdleTimeout(60ns) is shorter":               orm.WithBlock(atomic.IdleTimeout(60)),
		"WithBlock: LockTimeout(999.999µs) is shorter":          orm.WithBlock(atomic.LockTimeout(time.Millisecond - 1)),
	} {
		_, err := orm.Open(ctx, sqlite.Open(":memory:"), o)
		var refused *dialect.OpenError
		require.ErrorAs(t, err, &refused, want)
		require.ErrorContains(t, err, want)
	}
	_, err := orm.Open(ctx, sqlite.Open(":memory:", sqlite.BusyTimeout(5)))
	require.ErrorContains(t, err, "open sqlite: BusyTimeout: BusyTimeout(5ns) is shorter")
	db, err := orm.Open(ctx, sqlite.Open(":memory:", sqlite.BusyTimeout(0)), orm.WithCommitTimeout(0), orm.ReplicaWait(0),
		orm.WithBlock(atomic.LockTimeout(0), atomic.Timeout(time.Millisecond)))
	require.NoError(t, err)
	require.NoError(t, db.Close())
}
