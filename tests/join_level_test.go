package tests

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
)

// A transaction that no server has cannot begin, whether or not something is sent in it.
func TestB18_BeginTxAtALevelThatIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, level := range []sql.IsolationLevel{sql.LevelLinearizable, sql.LevelWriteCommitted} {
			_, err := db.executor.SQL().BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
			require.ErrorIs(t, err, dialect.ErrUnsupported, level)
		}
		tx, err := db.executor.SQL().BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true})
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
	}, servers...) // SQLite, where one writes at a time, has them all
}
