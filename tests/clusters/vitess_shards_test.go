package clusters

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// twoShards is the bed in the database that is on two.
func twoShards(t *testing.T, c *testdb.Machines) *bed {
	t.Helper()
	b := &bed{Machines: c, t: t, name: testdb.TwoShards}
	require.NoError(t, c.Caught(t.Context(), b.name, "SELECT 1"))
	b.tables()
	b.arrange("INSERT INTO t (id, v) VALUES (1, 0), (2, 0), (4, 0), (6, 0)")
	return b
}

func vitessOneOfTwo(b *bed) {
	db := b.on(b.Nodes[0])
	require.NoError(b.t, block(db, []string{"UPDATE t SET v = 5 WHERE id = 2", "UPDATE t SET v = v + 1 WHERE id = 2"}))
	require.Equal(b.t, 6, b.number(b.Nodes[0], "SELECT v FROM t WHERE id = 2"))
}

// Shard by shard is how it commits: the second shard's session is gone, and what is on
// the first is there. Do says that it does not know, and never that nothing is left.
func vitessHalfCommits(b *bed) {
	first, second, err := b.half(7, "MULTI")
	require.ErrorIs(b.t, err, atomic.ErrCommitUnknown)
	assert.True(b.t, first)
	assert.False(b.t, second)
}

// half writes a value to a row of each shard; the second one's session ends before
// COMMIT. It returns which of them has the value afterwards.
func (b *bed) half(v int, mode string, opts ...atomic.Option) (first, second bool, err error) {
	b.t.Helper()
	db := b.open(b.Nodes[0].DSN(b.name)+"?transaction_mode=%27"+mode+"%27", orm.WithCommitTimeout(10*time.Second))
	do := run(db)
	err = atomic.Do(b.t.Context(), db, func(ctx context.Context) error {
		for _, id := range []int{1, 4} {
			if err := do(ctx, "UPDATE t SET v = ? WHERE id = ?", v, id); err != nil {
				return err
			}
		}
		b.endSession("80-")
		return nil
	}, opts...)
	has := func(id int) bool { return b.number(b.Nodes[0], fmt.Sprintf("SELECT v FROM t WHERE id = %d", id)) == v }
	first, second = has(1), has(4)
	b.t.Logf("%s: %t %t %v", mode, first, second, err)
	return first, second, err
}

// A mark is on one shard, and says nothing of the others: nothing is kept of a block
// that asks for it, and the error says why.
func vitessResolveOverShards(b *bed) {
	for v, mode := range []string{"MULTI", "MULTI", "MULTI", "TWOPC"} {
		first, second, err := b.half(10+v, mode, atomic.ResolveCommit())
		require.ErrorIs(b.t, err, dialect.ErrUnsupported)
		assert.False(b.t, first || second)
	}
}

// In the mode SINGLE nothing is on two shards. A mark that would be on another than the
// block is refused, and the block rolled back.
func vitessSingle(b *bed) {
	db := b.open(b.Nodes[0].DSN(b.name)+single, orm.WithCommitTimeout(10*time.Second))
	err := block(db, []string{"UPDATE t SET v = 20 WHERE id = 1", "UPDATE t SET v = 20 WHERE id = 4"})
	require.ErrorContains(b.t, err, "multi-db transaction attempted")
	require.False(b.t, isUnknown(err))
	require.Zero(b.t, b.number(b.Nodes[0], "SELECT COUNT(*) FROM t WHERE v = 20"))
	for v := 21; v < 31; v++ {
		err := block(db, []string{fmt.Sprintf("UPDATE t SET v = %d WHERE id = 1", v)}, atomic.ResolveCommit())
		there := b.number(b.Nodes[0], fmt.Sprintf("SELECT COUNT(*) FROM t WHERE v = %d", v)) == 1
		assert.Equal(b.t, there, err == nil, "%v", err)
		assert.False(b.t, isUnknown(err), "%v", err)
	}
}

// A statement fails on one shard and has been carried out on the other: it is undone
// alone, or the block fails.
func vitessPartOfAStatement(b *bed) {
	ctx := b.t.Context()
	db := b.on(b.Nodes[0])
	do := run(db)
	fails := func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error {
			return do(ctx, "INSERT INTO t (id, v) VALUES (3, 50), (5, 50), (4, 50)")
		})
	}
	for name, before := range map[string]string{"on both": "UPDATE t SET v = 51", "on one": "UPDATE t SET v = 51 WHERE id = 1", "on the other": "UPDATE t SET v = 51 WHERE id = 6", "nothing": ""} {
		require.NoError(b.t, block(db, []string{"UPDATE t SET v = 0"}))
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			if before != "" {
				if err := do(ctx, before); err != nil {
					return err
				}
			}
			failed := fails(ctx)
			assert.Error(b.t, failed, name)
			return do(ctx, "UPDATE t SET v = 52 WHERE id IN (2, 4)")
		})
		want := map[string]string{"on both": "1:51,2:52,4:52,6:51", "on one": "1:51,2:52,4:52,6:0", "on the other": "1:0,2:52,4:52,6:51", "nothing": "1:0,2:52,4:52,6:0"}[name]
		if err != nil {
			want = "1:0,2:0,4:0,6:0"
		}
		assert.Equal(b.t, want, b.all(), name)
	}
}

// all is what is on both shards.
func (b *bed) all() string {
	b.t.Helper()
	rows, err := b.Nodes[0].Open(b.t, b.name).QueryContext(b.t.Context(), "SELECT id, v FROM t ORDER BY id")
	require.NoError(b.t, err)
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var id, v int
		require.NoError(b.t, rows.Scan(&id, &v))
		all = append(all, fmt.Sprintf("%d:%d", id, v))
	}
	require.NoError(b.t, rows.Err())
	return strings.Join(all, ",")
}
