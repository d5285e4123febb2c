package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// What has a standby confirm a result travels with COMMIT, and gives the transaction a
// number: one without would not wait. A server that waits for no standby says so.
func TestO01_AResultIsConfirmedWithCommit(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		db := open(t, fresh(t, OnceTable).DSN, opts...)
		w, texts := take(t, db), db.Engine.Once()
		id := []byte("key")
		execAfter(t, w, nil, texts.Claim, id, []byte{}, nil)
		rows, err := w.Query(t.Context(), nil, texts.Read, []any{id})
		require.NoError(t, err)
		require.Len(t, rows.Columns(), 5)
		all, err := readAll(rows)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Zero(t, backend.Integer(all[0][4]))

		execAfter(t, w, begin, "SAVEPOINT one")
		exec(t, w, texts.Confirm)
		exec(t, w, "ROLLBACK TO SAVEPOINT one")
		require.Equal(t, true, one(t, w, "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"))
		require.NoError(t, w.Commit(t.Context(), nil))

		execAfter(t, w, begin, "SAVEPOINT one")
		if carrier, ok := w.(backend.CommitCarrier); ok {
			require.NoError(t, carrier.CommitWith(t.Context(), nil, texts.Confirm, nil))
		} else {
			exec(t, w, texts.Confirm)
			require.NoError(t, w.Commit(t.Context(), nil))
		}
		require.True(t, w.Idle())
		require.EqualValues(t, 1, exec(t, w, "DELETE FROM holdfast_once"))
	})
}
