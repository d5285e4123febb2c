package block_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// A replica that was left out is back when it shows what it was left out for, and not when a
// reader who was there before finds what he wants.
func TestR05_BackIsWhoShowsWhatWasMissed(t *testing.T) {
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
		r := all[0]
		late, err := s.db.Seen(t.Context(), "new")
		require.NoError(t, err)
		early, err := s.db.Seen(t.Context(), "old")
		require.NoError(t, err)
		own.renewed, r.history.standing = "new", backend.Behind
		first := aside(func() error { return readsOnly(late, s) })
		pass(wait / 2)
		second := aside(func() error { return readsOnly(early, s) })
		require.NoError(t, first())
		require.Equal(t, 1, strings.Count(log.String(), "left out"))
		r.history.stands(backend.Reached)
		require.NoError(t, second())
		require.NotContains(t, log.String(), "is back")
		r.sent("2: BEGIN READ ONLY; read", "2: COMMIT")

		r.history.standing = backend.Behind
		require.NoError(t, readsOnly(t.Context(), s))
		r.sent()
		require.Equal(t, []string{"reach new", "reach old", "reach new"}, r.history.asked)
		pass(time.Second)
		r.history.standing = backend.Reached
		require.NoError(t, readsOnly(t.Context(), s))
		require.Equal(t, 1, strings.Count(log.String(), "is back"))
		r.forget()
	})
}
