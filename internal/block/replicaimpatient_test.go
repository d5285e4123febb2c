package block_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// Where the writer has to be asked about a token first, and does not answer, a reader waits
// for no longer than he wants to.
func TestR06_WhoGivesUpWhileTheWriterIsAsked(t *testing.T) {
	for name, suspect := range map[string]bool{"whether it has the token": true, "what is left of it": false} {
		t.Run(name, func(t *testing.T) {
			withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
				own.suspect, all[0].history.standing = suspect, backend.Elsewhere
				seen, err := s.db.Seen(t.Context(), "old")
				require.NoError(t, err)
				s.pool.SetMaxIdleConns(-1)
				up := make(chan struct{})
				defer close(up)
				s.on("(connect)", reply{until: up})
				impatient, cancel := context.WithTimeoutCause(seen, wait/2, errCaller)
				defer cancel()
				began := time.Now()
				require.ErrorIs(t, readsOnly(impatient, s), errCaller)
				require.Equal(t, wait/2, time.Since(began))
				require.Empty(t, log.String())
			})
		})
	}
	// So it is where it is asked what a replica was left out for.
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
		r := all[0]
		seen, err := s.db.Seen(t.Context(), "late")
		require.NoError(t, err)
		r.history.standing, own.renewed = backend.Behind, "late"
		require.NoError(t, readsOnly(seen, s))
		pass(time.Second)
		s.pool.SetMaxIdleConns(-1)
		up := make(chan struct{})
		defer close(up)
		s.on("(connect)", reply{until: up})
		impatient, cancel := context.WithTimeoutCause(t.Context(), wait/2, errCaller)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, readsOnly(impatient, s), errCaller)
		require.Equal(t, wait/2, time.Since(began))
		r.history.standing, own.renewed = backend.Reached, "late"
		r.forget()
		require.NoError(t, readsOnly(t.Context(), s), "it is looked at again")
		r.sent("SELECT 1", "BEGIN READ ONLY; read", "COMMIT")
	})
}
