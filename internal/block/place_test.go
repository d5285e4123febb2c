package block_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// database/sql has frames of its own between who begins and the block.
func TestS05_ATransactionOfSQLSaysWhereItBegan(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		tx, err := s.db.SQL().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		s.on("UPDATE a", refuses(unnamed))
		_, err = tx.ExecContext(t.Context(), "UPDATE a")
		require.ErrorContains(t, err, "place_test.go:")
		require.NoError(t, tx.Rollback())
	})
}
