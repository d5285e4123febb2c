package clusters

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The table of marks tells on the new primary what became of a COMMIT that the old
// one could not answer any more, whether the standby had received it or not.
func TestB12_ResolveCommitAfterAFailoverWithMarks(t *testing.T) {
	t.Parallel()
	for name, received := range map[string]bool{"received": true, "not received": false} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			b := newBed(t, testdb.Cluster(t, testdb.PostgresPair, testdb.Synchronous("remote_apply")))
			b.arrange(postgres.CommitsTable)
			primary, standby := b.Nodes[0], b.Nodes[1]
			db := b.open(b.DSN(b.name), orm.WithCommitTimeout(20*time.Second))
			require.NoError(t, block(db, []string{"DELETE FROM t"}))
			if received { // and is still to be applied, for which COMMIT waits
				require.NoError(t, standby.Lag(ctx, time.Minute))
			} else {
				require.NoError(t, standby.Cut(ctx))
			}
			done := going(func() error { return block(db, []string{"INSERT INTO t VALUES (1, 1)"}, atomic.ResolveCommit()) })
			b.soon(primary, waitingForStandby, 1)
			if received {
				sent, err := primary.Ask(ctx, b.name, "SELECT pg_current_wal_flush_lsn()::text")
				require.NoError(t, err)
				b.soon(standby, "SELECT (pg_last_wal_receive_lsn() >= '"+sent+"')::int", 1)
			}
			require.NoError(t, primary.Kill(ctx))
			require.NoError(t, standby.Promote(ctx))
			require.NoError(t, standby.Run(ctx, b.name, "DO $$ BEGIN FOR n IN 100..150 LOOP INSERT INTO t VALUES (n, n); COMMIT; END LOOP; END $$"))
			err := <-done
			require.False(t, isUnknown(err), "%v", err)
			require.Equal(t, received, err == nil, "%v", err)
			require.Equal(t, received, b.number(standby, "SELECT count(*) FROM t WHERE id = 1") == 1)
		})
	}
}
