package clusters

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
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
			require.NoError(t, block(db, []string{"DELETE FROM t"}))
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
