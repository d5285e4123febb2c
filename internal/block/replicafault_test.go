package block_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// A token that the writer does not have either says nothing of a replica: who has made it
// up waits, and nobody else.
func TestR05_ATokenThatNobodyHas(t *testing.T) {
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
		r := all[0]
		forged, err := s.db.Seen(t.Context(), "forged")
		require.NoError(t, err)
		own.renews = func(string) string { return "now" }
		r.history.standing = backend.Behind
		began := time.Now()
		require.NoError(t, readsOnly(forged, s))
		require.Equal(t, wait, time.Since(began))
		s.sent("BEGIN READ ONLY; read", "COMMIT")
		require.Equal(t, "now", s.db.SeenToken(forged), "the caller's is one that can be shown")
		r.history.stands(backend.Reached)
		require.NoError(t, readsOnly(t.Context(), s))
		require.NoError(t, readsOnly(forged, s))
		r.sent("BEGIN READ ONLY; read", "COMMIT", "BEGIN READ ONLY; read", "COMMIT")
		s.sent()
		require.Empty(t, log.String())
		require.Equal(t, []string{"renew forged"}, own.asked)

		// Nor does it if the writer cannot be asked.
		late, err := s.db.Seen(t.Context(), "late")
		require.NoError(t, err)
		own.silent = errAsked
		r.history.standing = backend.Behind
		require.NoError(t, readsOnly(late, s))
		require.NoError(t, readsOnly(t.Context(), s))
		r.sent("BEGIN READ ONLY; read", "COMMIT")
		require.Empty(t, log.String())
	})
}

// One that comes back from being gone is not left out again for such a token.
func TestR05_BackInSpiteOfATokenThatNobodyHas(t *testing.T) {
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
		r := all[0]
		forged, err := s.db.Seen(t.Context(), "forged")
		require.NoError(t, err)
		own.renews = func(string) string { return "now" }
		r.on("BEGIN READ ONLY", refuses(gone))
		require.NoError(t, readsOnly(t.Context(), s))
		pass(time.Second)
		r.history.standing = backend.Behind
		require.NoError(t, readsOnly(forged, s))
		require.Contains(t, log.String(), "is back")
		r.forget()
		require.NoError(t, readsOnly(t.Context(), s))
		r.sent("2: BEGIN READ ONLY; read", "2: COMMIT")
	})
}

// What a replica was left out for does not move while the writer goes on: after a failover
// the new writer names what it has once.
func TestR05_WhatWasMissedStandsStill(t *testing.T) {
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
		r := all[0]
		late, err := s.db.Seen(t.Context(), "old")
		require.NoError(t, err)
		own.renews = func(token string) string { return token }
		r.history.standing = backend.Behind
		require.NoError(t, readsOnly(late, s))
		require.Contains(t, log.String(), "left out")

		writes := 0
		own.renews = func(token string) string { // the new writer has never heard of it
			if token != "old" {
				return token
			}
			writes++
			return fmt.Sprint("new", writes)
		}
		for range 3 {
			pass(16 * time.Second)
			require.NoError(t, readsOnly(t.Context(), s))
		}
		r.history.stands(backend.Reached)
		pass(16 * time.Second)
		require.NoError(t, readsOnly(t.Context(), s))
		require.Contains(t, log.String(), "is back")
		require.Equal(t, []string{"reach old", "reach new1", "reach new1", "reach new1", "reach new1"}, r.history.asked)
		r.forget()
	})
}
