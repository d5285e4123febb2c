package clusters

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The members of a group are replicas of its primary, and a token outlives a change
// of primaries.
func TestR03_InAGroup(t *testing.T) {
	b := newBed(t, testdb.Cluster(t, testdb.GroupReplication))
	ctx := t.Context()
	members := orm.WithReplicas(b.source(b.Nodes[1].DSN(b.name)), b.source(b.Nodes[2].DSN(b.name)))
	db := b.on(b.Nodes[0], orm.ReplicaWait(20*time.Second), members)
	require.NoError(t, orm.Objects[number](db).Create(ctx, &number{ID: 1}))
	seen := hf.Seen(ctx, db)
	for n := range int64(50) {
		require.NoError(t, set(seen, db, 1, n+1))
		v, err := value(seen, db, 1)
		require.NoError(t, err)
		require.Equal(t, n+1, v)
	}
	token := hf.SeenToken(seen, db)
	t.Log(token)
	require.NoError(t, b.Nodes[1].Promote(ctx))
	db = b.on(b.Nodes[1], orm.ReplicaWait(20*time.Second), orm.WithReplicas(b.source(b.Nodes[0].DSN(b.name))))
	there, err := hf.SeenFrom(ctx, db, token)
	require.NoError(t, err)
	for n := range int64(50) {
		v, err := value(there, db, 1)
		require.NoError(t, err)
		require.Equal(t, n+50, v)
		require.NoError(t, set(there, db, 1, n+51))
		assert.Equal(t, 1, func() (where int) {
			require.NoError(t, readOnly(there, db, func(ctx context.Context) error { where = b.where(ctx, db); return nil }))
			return where
		}())
	}
}
