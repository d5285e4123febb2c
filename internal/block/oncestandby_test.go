package block_test

import (
	"context"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
)

// replicated is the row of a key whose result is "kept", on a server whose commits wait
// for a standby (1), or do not (0).
func replicated(waits int64) *[]driver.Value {
	return &[]driver.Value{int64(0), []byte{}, int64(0), []byte(`"kept"`), waits}
}

// A result that can be read may not have reached the standby: whoever wrote it was told
// that this is unknown, and who finds it is told no more until a COMMIT has waited.
func TestO01_AResultThatTheStandbyMayNotHave(t *testing.T) {
	const claim = "BEGIN; SET WAIT 0s; CLAIM"
	again := func(s *script, opts ...atomic.Option) (string, error) {
		return atomic.Once(s.t.Context(), s.db, "k", func(context.Context) (string, error) { panic("it runs") }, opts...)
	}
	play(t, func(t *testing.T, s *script) {
		s.on("COMMIT", refuses(gone), reply{silent: true}, reply{err: conflict, over: true})
		for _, opts := range [][]atomic.Option{nil, {atomic.Retry(3)}} {
			got, err := again(s, opts...)
			require.ErrorIs(t, err, atomic.ErrCommitUnknown)
			require.Empty(t, got)
		}
		s.sent(claim, "READ", "RESET WAIT; CONFIRM; COMMIT", "2: "+claim, "2: READ", "2: RESET WAIT; CONFIRM; COMMIT")
		began := time.Now()
		got, err := again(s) // the third answer lets it come again by itself
		require.NoError(t, err)
		require.Equal(t, "kept", got)
		require.Less(t, time.Since(began), time.Second)
		s.sent("3: "+claim, "3: READ", "3: RESET WAIT; CONFIRM; COMMIT", "4: "+claim, "4: READ", "4: RESET WAIT; CONFIRM; COMMIT")

		s.on("CONFIRM", refuses(unnamed))
		_, err = again(s)
		require.ErrorIs(t, err, unnamed)
	}, keyed(replicated(1), postgres))
	play(t, func(t *testing.T, s *script) {
		got, err := again(s)
		require.NoError(t, err)
		require.Equal(t, "kept", got)
		s.sent(claim, "READ", "ROLLBACK; RESET WAIT")
	}, keyed(replicated(0), postgres))
}

// Inside a block it is the COMMIT of that which waits, also where it has nothing of its own
// to write; and ResolveCommit asks until it knows.
func TestO01_AResultThatTheStandbyMayNotHaveInABlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for _, opts := range [][]atomic.Option{nil, {atomic.Propagation(atomic.Join)}} {
			s.on("COMMIT", refuses(gone))
			err := s.do(t.Context(), func(ctx context.Context) error {
				got, err := s.once(ctx, opts...)
				require.Equal(t, "kept", got)
				return err
			})
			require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		}
		s.sent("BEGIN; SAVEPOINT hf_1; SET WAIT 0s; CLAIM", "READ", "CONFIRM", "ROLLBACK TO SAVEPOINT hf_1; RESET WAIT; COMMIT",
			"2: BEGIN; SET WAIT 0s; CLAIM", "2: READ", "2: CONFIRM", "2: RESET WAIT; COMMIT")

		s.on("CONFIRM", refuses(unnamed))
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.once(ctx)
			return err
		}), unnamed)
		s.forget()

		s.on("WHICH TRANSACTION", reply{says: "7"})
		s.on("COMMIT", refuses(gone))
		s.on("WHAT BECAME OF 7", reply{says: true})
		got, err := s.once(t.Context(), atomic.ResolveCommit())
		require.NoError(t, err)
		require.Equal(t, "kept", got)
	}, keyed(replicated(1), postgres))
}
