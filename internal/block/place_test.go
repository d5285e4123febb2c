package block_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
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

// A block is where its caller is, by whatever way it was opened.
func TestBlockInfo_IsWhereTheCallerIs(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		here := func(err error) {
			var failed *atomic.FailedError
			require.ErrorAs(t, err, &failed)
			require.Contains(t, failed.Block.String(), "place_test.go:")
		}
		s.on("INSERT a", refuses(unique), refuses(unique))
		here(atomic.Do(t.Context(), s.db, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }))
		s.free(1)
		_, err := atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) { return 1, s.exec(ctx, "INSERT a") })
		here(err)
	})
}
