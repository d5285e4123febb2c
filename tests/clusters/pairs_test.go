package clusters

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A replica of MySQL or MariaDB can be held back, lost and promoted.
func TestPairs(t *testing.T) {
	for _, kind := range []testdb.ClusterKind{testdb.MySQLPair, testdb.MariaDBPair} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			pair := testdb.Cluster(t, kind)
			primary, replica := pair.Nodes[0], pair.Nodes[1]
			name := pair.NewDatabase(t)
			const notes = "SELECT GROUP_CONCAT(id ORDER BY id) FROM note"
			require.NoError(t, primary.Run(ctx, name, "CREATE TABLE note (id INTEGER PRIMARY KEY)", "INSERT INTO note VALUES (1)"))
			require.NoError(t, pair.Caught(ctx, name, notes))

			require.NoError(t, replica.Lag(ctx, time.Minute))
			require.NoError(t, primary.Run(ctx, name, "INSERT INTO note VALUES (2)"))
			got, err := replica.Ask(ctx, name, notes)
			require.NoError(t, err)
			assert.Equal(t, "1", got)
			require.NoError(t, replica.Lag(ctx, 200*time.Millisecond))
			soon(t, replica, name, notes, "1,2")
			began := time.Now()
			require.NoError(t, primary.Run(ctx, name, "INSERT INTO note VALUES (9)"))
			soon(t, replica, name, notes, "1,2,9")
			assert.Greater(t, time.Since(began), 150*time.Millisecond)
			require.NoError(t, replica.Lag(ctx, 0))

			require.NoError(t, primary.Kill(ctx))
			require.NoError(t, replica.Promote(ctx))
			writer, err := pair.Writer(ctx)
			require.NoError(t, err)
			assert.Same(t, replica, writer)
			require.NoError(t, writer.Run(ctx, name, "INSERT INTO note VALUES (3)"))
			require.NoError(t, primary.Restart(ctx))
			require.NoError(t, pair.Caught(ctx, name, notes))
		})
	}
}
