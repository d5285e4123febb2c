package clusters

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

const waitingForStandby = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

// nil means that the standby has it, too.
func TestB01_CommitWithoutTheStandby(t *testing.T) {
	t.Parallel()
	b := newBed(t, testdb.Cluster(t, testdb.PostgresPair, testdb.Synchronous("on")))
	ctx := t.Context()
	primary, standby := b.Nodes[0], b.Nodes[1]
	for name, c := range map[string]struct {
		limit   time.Duration // of the COMMIT
		cancel  string        // what another session does to it meanwhile
		options []atomic.Option
	}{
		"a limit":                 {limit: time.Second},
		"a limit, resolved":       {limit: time.Second, options: []atomic.Option{atomic.ResolveCommit()}},
		"somebody cancels":        {limit: time.Minute, cancel: "pg_cancel_backend"},
		"somebody cancels it all": {limit: time.Minute, cancel: "pg_terminate_backend"},
	} {
		t.Run(name, func(t *testing.T) {
			db := b.on(primary, orm.WithCommitTimeout(c.limit))
			require.NoError(t, block(b.on(primary), []string{"DELETE FROM t"}))
			require.NoError(t, standby.Pause(ctx))
			done := going(func() error { return block(db, []string{"INSERT INTO t VALUES (1, 1)"}, c.options...) })
			if c.cancel != "" {
				b.soon(primary, waitingForStandby, 1)
				require.NoError(t, primary.Run(ctx, b.name, "SELECT "+c.cancel+"(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
			}
			var err error
			select {
			case err = <-done:
				assert.ErrorIs(t, err, atomic.ErrCommitUnknown)
				require.NoError(t, standby.Resume(ctx))
			case <-time.After(5 * time.Second): // the question waits, too
				require.NoError(t, standby.Resume(ctx))
				err = <-done
				assert.True(t, err == nil || isUnknown(err), "%v", err)
			}
			require.NoError(t, b.Caught(ctx, b.name, "SELECT count(*) FROM t"))
		})
	}
}

// A result that can be read is not taken for one that the standby has: whoever wrote it was
// told that this is unknown, and so is who finds it, until it is there, or lost.
func TestO01_AResultWithoutTheStandby(t *testing.T) {
	t.Parallel()
	b := newBed(t, testdb.Cluster(t, testdb.PostgresPair, testdb.Synchronous("on")))
	b.arrange(postgres.OnceTable)
	ctx := t.Context()
	primary, standby := b.Nodes[0], b.Nodes[1]
	ran := 0
	once := func(ctx context.Context, db *orm.DB, key string) error {
		got, err := atomic.Once(ctx, db, key, func(ctx context.Context) (string, error) {
			ran++
			_, err := db.Exec(ctx, "INSERT INTO t VALUES (1, 1)")
			return key, err
		})
		if err == nil {
			assert.Equal(t, key, got)
		}
		return err
	}
	// told runs Once for a key, and has its COMMIT told to wait for the standby no more.
	told := func(db *orm.DB, key string) {
		require.ErrorIs(t, once(ctx, db, key), atomic.ErrCommitUnknown)
		require.NoError(t, primary.Run(ctx, b.name, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
		b.soon(primary, "SELECT count(*) FROM t", 1)
	}
	db, patient := b.on(primary, orm.WithCommitTimeout(time.Second)), b.on(primary)

	require.NoError(t, standby.Pause(ctx))
	told(db, "comes")
	require.ErrorIs(t, once(ctx, db, "comes"), atomic.ErrCommitUnknown)
	require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error { return once(ctx, db, "comes") }), atomic.ErrCommitUnknown, "inside a block")
	require.NoError(t, standby.Resume(ctx))
	require.NoError(t, once(ctx, patient, "comes"))
	require.NoError(t, atomic.Do(ctx, patient, func(ctx context.Context) error { return once(ctx, patient, "comes") }))
	require.Equal(t, 1, ran)
	require.Equal(t, 1, b.number(standby, "SELECT count(*) FROM holdfast_once WHERE result IS NOT NULL"))

	require.NoError(t, block(patient, []string{"DELETE FROM t"}))
	require.NoError(t, standby.Cut(ctx))
	told(db, "is lost")
	require.ErrorIs(t, once(ctx, db, "is lost"), atomic.ErrCommitUnknown)
	require.Equal(t, 2, ran)
	require.NoError(t, primary.Kill(ctx))
	require.NoError(t, standby.Promote(ctx))
	require.NoError(t, once(ctx, b.on(standby), "is lost"))
	require.Equal(t, 3, ran, "it was lost with the primary")
	require.Equal(t, 1, b.number(standby, "SELECT count(*) FROM t"))
}

// A standby is no place to lock: what it seems to lock is free on the primary.
func TestL03_AStandbyLocksNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t, testdb.Cluster(t, testdb.PostgresPair))
	db := b.on(b.Nodes[1])
	err := atomic.Do(t.Context(), db, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, db, "one") })
	assert.ErrorIs(t, err, dialect.ErrUnsupported, "AdvisoryLock")
	err = block(db, []string{"SELECT * FROM t FOR UPDATE"})
	assert.ErrorIs(t, err, dialect.ErrReadOnly)
}
