package block_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// SAVEPOINT as a text is one of the block's own savepoints, at no round trip.
func TestB24_SavepointsAsTexts(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var d diary
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a", "SAVEPOINT one", "INSERT b")
			d.keep(ctx, t, s, "b")
			s.must(ctx, "ROLLBACK TO SAVEPOINT one", "INSERT c", "RELEASE SAVEPOINT one")
			d.keep(ctx, t, s, "c")
			return nil
		}))
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; INSERT c", "COMMIT")
		require.Equal(t, diary{"-b", "+c"}, d)
	})
}

// The latest of a name is meant, and none of another block.
func TestB24_NamesOfTexts(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "SAVEPOINT a", "INSERT 1", `SAVEPOINT "A"`, "INSERT 2", "SAVEPOINT A", "INSERT 3", "ROLLBACK WORK TO a", "INSERT 4", "RELEASE a", "ROLLBACK TRANSACTION TO SAVEPOINT a;", "INSERT 5")
			err := s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "ROLLBACK TO a") })
			require.ErrorIs(t, err, atomic.ErrTransactionControl)
			require.ErrorIs(t, err, atomic.ErrSavepointEnded)
			require.ErrorIs(t, s.exec(ctx, "RELEASE SAVEPOINT b"), atomic.ErrSavepointEnded)
			return nil
		}))
	}, setup{server: postgres})
}

// A failed statement is undone by it, and only by one set before.
func TestB24_ATextRevivesAFailedBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT b", refuses(unique), refuses(unique))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a", "SAVEPOINT one")
			require.Error(t, s.exec(ctx, "INSERT b"))
			require.ErrorIs(t, s.exec(ctx, "INSERT c"), atomic.ErrRollbackRequired)
			require.ErrorIs(t, s.exec(ctx, "SAVEPOINT two"), atomic.ErrRollbackRequired)
			require.ErrorIs(t, s.exec(ctx, "RELEASE two"), atomic.ErrRollbackRequired)
			s.must(ctx, "ROLLBACK TO one", "INSERT d")
			return nil
		}))
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; INSERT d", "COMMIT")
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			require.Error(t, s.exec(ctx, "INSERT b"))
			return s.exec(ctx, "ROLLBACK TO one")
		}), atomic.ErrRollbackRequired)
	})
}

// Where the server would hide the end of the transaction behind it (L3).
func TestL03_NoSavepointByAText(t *testing.T) {
	group := dialect.Server{Engine: dialect.MySQL, Product: "MySQL", Version: dialect.Version{Major: 9, Minor: 7}, SavepointsHide: true}
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			require.ErrorIs(t, s.exec(ctx, "SAVEPOINT one"), dialect.ErrUnsupported)
			return nil
		}))
		s.sent("BEGIN; INSERT a", "COMMIT")
	}, setup{server: group})
}
