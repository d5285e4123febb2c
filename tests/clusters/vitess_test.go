package clusters

import (
	"context"
	"database/sql"
	"errors"
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

// One cluster for all of it. Each test has a database of its own, on one shard, but
// those of shards, which share the one that is on two.
func TestVitessKeepsTheContract(t *testing.T) {
	c := testdb.Cluster(t, testdb.Vitess)
	for _, test := range []struct {
		name string
		run  func(*bed)
	}{
		{"TheVersionIsItsOwn", vitessVersion},
		{"B01_CommitAndRollback", vitessBlocks},
		{"B06_NothingIsSwallowed", vitessFailedStatement},
		{"B22_ReadOnly", vitessReadOnly},
		{"L01_RowLocks", vitessRowLocks},
		{"L03_AdvisoryLocks", vitessAdvisoryLocks},
		{"B17_Deadlock", vitessDeadlock},
		{"B12_ResolveCommit", vitessResolveCommit},
		{"B12_ACommitThatIsLate", vitessLateCommit},
		{"B12_ATransactionThatHangs", vitessHangs},
		{"B12_TheServerBehindEndsTheSession", vitessKilledBehind},
		{"B08_VttabletEndsTheTransaction", vitessTooLong},
		{"O01_OneEffect", vitessOnce},
		{"S05_NoValuesInMessages", vitessMessages},
		{"Money", func(b *bed) {
			money(b, []*orm.DB{b.open(b.via(b.Nodes[0].Addr))}, func() { wait(8 * time.Second) }, nothing).known(b.t)
		}},
		{"MoneyWhileTheServerBehindIsKilled", vitessServerKilled},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(newBed(t, c)) })
	}
	shards := twoShards(t, c)
	for _, test := range []struct {
		name string
		run  func(*bed)
	}{
		{"B01_ABlockOnOneOfTwoShards", vitessOneOfTwo},
		{"B12_OneOfTwoShardsCommits", vitessHalfCommits},
		{"B12_ResolveCommitOverShards", vitessResolveOverShards},
		{"B12_OneShardAlone", vitessSingle},
		{"B04_PartOfAStatementFails", vitessPartOfAStatement},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := *shards
			b.t = t
			test.run(&b)
		})
	}
}

// vtgate calls itself a MySQL of a version that is not its own, which
// capabilities go by.
func vitessVersion(b *bed) {
	server := b.on(b.Nodes[0]).Server()
	assert.Equal(b.t, dialect.MySQL, server.Engine)
	assert.Equal(b.t, "Vitess", server.Product)
	assert.Equal(b.t, dialect.Version{Major: 24, Minor: 0, Patch: 4}, server.Version)
	assert.True(b.t, server.Can(dialect.NoWait))
	assert.True(b.t, server.Can(dialect.SkipLocked))
	assert.False(b.t, server.Can(dialect.WholeCommit))
	own := b.source(b.Nodes[0].DSN(b.name))
	_, err := orm.Open(b.t.Context(), own, orm.WithReplicas(own))
	assert.ErrorIs(b.t, err, dialect.ErrUnsupported)
}

// run returns a function that runs a statement in the block of its ctx.
func run(db *orm.DB) func(ctx context.Context, query string, args ...any) error {
	return func(ctx context.Context, query string, args ...any) error {
		_, err := db.Exec(ctx, query, args...)
		return err
	}
}

func (b *bed) rows() string {
	b.t.Helper()
	text, err := b.Nodes[0].Ask(b.t.Context(), b.name, "SELECT GROUP_CONCAT(id, ':', v ORDER BY id) FROM t")
	require.NoError(b.t, err)
	return text
}

func vitessBlocks(b *bed) {
	ctx := b.t.Context()
	db := b.on(b.Nodes[0])
	do := run(db)
	insert := func(ctx context.Context, id int) error { return do(ctx, "INSERT INTO t VALUES (?, ?)", id, 0) }
	no := errors.New("no")

	require.NoError(b.t, atomic.Do(ctx, db, func(ctx context.Context) error { return insert(ctx, 1) }))
	require.ErrorIs(b.t, atomic.Do(ctx, db, func(ctx context.Context) error {
		require.NoError(b.t, insert(ctx, 2))
		return no
	}), no)
	// Nested, twice: what fails is undone alone, also after a statement that failed.
	require.NoError(b.t, atomic.Do(ctx, db, func(ctx context.Context) error {
		require.NoError(b.t, insert(ctx, 3))
		require.ErrorIs(b.t, atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(b.t, insert(ctx, 4))
			require.NoError(b.t, atomic.Do(ctx, db, func(ctx context.Context) error { return insert(ctx, 5) }))
			return no
		}), no)
		require.ErrorIs(b.t, atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(b.t, insert(ctx, 6))
			return insert(ctx, 1)
		}), dialect.ErrUniqueViolation)
		return atomic.Do(ctx, db, func(ctx context.Context) error { return insert(ctx, 7) })
	}))
	assert.Equal(b.t, "1:0,3:0,7:0", b.rows())

	for _, level := range []sql.IsolationLevel{sql.LevelReadUncommitted, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable} {
		id := 10 + int(level)
		assert.NoError(b.t, atomic.Do(ctx, db, func(ctx context.Context) error {
			var own string
			require.NoError(b.t, db.QueryRow(ctx, "SELECT @@transaction_isolation").Scan(&own))
			assert.Equal(b.t, strings.ReplaceAll(strings.ToUpper(level.String()), " ", "-"), own)
			return insert(ctx, id)
		}, atomic.Isolation(level)), level.String())
	}
}

// fn takes no notice of an error, and the block does.
func vitessFailedStatement(b *bed) {
	ctx := b.t.Context()
	db := b.on(b.Nodes[0])
	do := run(db)
	b.arrange("INSERT INTO t VALUES (1, 0)")
	for _, wrong := range []string{"INSERT INTO t VALUES (1, 0)", "INSERT INTO t VALUES (2, NULL)", "SELECT nonsense FROM t", "INSERT INTO missing VALUES (1)"} {
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(b.t, do(ctx, "UPDATE t SET v = v + 1"))
			require.Error(b.t, do(ctx, wrong), wrong)
			_ = do(ctx, "UPDATE t SET v = v + 1")
			return nil
		})
		assert.Error(b.t, err, wrong)
		assert.Equal(b.t, "1:0", b.rows(), wrong)
	}
}

func vitessReadOnly(b *bed) {
	ctx := b.t.Context()
	db := b.on(b.Nodes[0])
	do := run(db)
	b.arrange("INSERT INTO t VALUES (1, 0)")
	for _, level := range []sql.IsolationLevel{sql.LevelDefault, sql.LevelRepeatableRead} {
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			before := 0
			require.NoError(b.t, db.QueryRow(ctx, "SELECT v FROM t").Scan(&before))
			return do(ctx, "UPDATE t SET v = 7")
		}, atomic.ReadOnly(), atomic.Isolation(level))
		assert.ErrorIs(b.t, err, dialect.ErrReadOnly, level.String())
		assert.Equal(b.t, "1:0", b.rows())
	}
	// With REPEATABLE READ it sees one state.
	require.NoError(b.t, atomic.Do(ctx, db, func(ctx context.Context) error {
		for want := range 2 {
			v := 0
			require.NoError(b.t, db.QueryRow(ctx, "SELECT v FROM t").Scan(&v))
			assert.Zero(b.t, v)
			require.NoError(b.t, b.Nodes[0].Run(b.t.Context(), b.name, fmt.Sprintf("UPDATE t SET v = %d", want+1)))
		}
		return nil
	}, atomic.ReadOnly(), atomic.Isolation(sql.LevelRepeatableRead)))
}

// The server behind vtgate is killed, and comes back.
func vitessServerKilled(b *bed) {
	db := b.open(b.via(b.Nodes[0].Addr), orm.WithCommitTimeout(20*time.Second))
	money(b, []*orm.DB{db}, func() {
		require.NoError(b.t, b.Backend.Kill(b.t.Context()))
		wait(time.Second)
		require.NoError(b.t, b.Backend.Restart(b.t.Context()))
	}, nothing).kept(b.t).resolved(b.t)
}
