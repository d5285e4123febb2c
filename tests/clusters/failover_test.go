package clusters

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The primary dies in the middle of the transfers and its standby takes over. With
// synchronous replication nothing that was acknowledged is lost, and with the table
// of marks a lost COMMIT can be told on the new primary.
func TestMoneyThroughAFailover(t *testing.T) {
	t.Parallel()
	for _, degree := range []string{"on", "remote_apply", ""} {
		t.Run("synchronous_commit="+degree, func(t *testing.T) {
			var opts []testdb.ClusterOption
			if degree != "" {
				opts = append(opts, testdb.Synchronous(degree))
			}
			b := newBed(t, testdb.Cluster(t, testdb.PostgresPair, opts...))
			b.arrange(postgres.CommitsTable)
			db := b.open(b.DSN(b.name))
			o := money(t, b, []*orm.DB{db}, func() {
				require.NoError(t, b.Nodes[0].Kill(t.Context()))
				require.NoError(t, b.Nodes[1].Promote(t.Context()))
			})
			if degree != "" {
				o.kept(t)
			}
			assert.Empty(t, o.failedThere)
		})
	}
}
