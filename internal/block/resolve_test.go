package block_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// bulk is an engine that is asked for many transactions at once.
type bulk struct{ *engine }

func (bulk) Resolver() backend.Resolver { return bulkResolver{} }

type bulkResolver struct{ resolver }

func (bulkResolver) Fates(ctx context.Context, w backend.Wire, asked []backend.Asked) ([]backend.Fate, error) {
	tokens := make([]string, len(asked))
	for i, a := range asked {
		tokens[i] = a.Token
	}
	return ask[[]backend.Fate](ctx, w, "WHAT BECAME OF "+strings.Join(tokens, ", "))
}

var (
	together  = setup{engine: func(e *engine) backend.Engine { return bulk{e} }}
	stillOpen = backend.Fate{}
	kept      = backend.Fate{Known: true, Committed: true}
	undone    = backend.Fate{Known: true}
)

// lost loses the answer to COMMIT of a block that the server calls token.
func lost(t *testing.T, s *script, token string) func() error {
	s.on("WHICH TRANSACTION", reply{says: token})
	s.on("COMMIT", refuses(gone))
	return func() error {
		return s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }, atomic.ResolveCommit())
	}
}

// One connection asks for all that are open, and no longer for what is known.
func TestB12_ResolveCommitInAStorm(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		first := make(chan struct{})
		s.on("WHAT BECAME OF tx1", reply{until: first, says: []backend.Fate{stillOpen}})
		one := aside(lost(t, s, "tx1"))
		two := aside(lost(t, s, "tx2"))
		three := aside(lost(t, s, "tx3"))
		s.on("WHAT BECAME OF tx1, tx2, tx3", reply{says: []backend.Fate{kept, stillOpen, stillOpen}})
		s.on("WHAT BECAME OF tx2, tx3", reply{says: []backend.Fate{undone, stillOpen}})
		s.on("WHAT BECAME OF tx3", reply{says: []backend.Fate{stillOpen}}, reply{says: []backend.Fate{kept}})
		s.forget()
		close(first)
		require.NoError(t, one())
		err := two()
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
		require.NoError(t, three())
		s.sent("2: WHAT BECAME OF tx1, tx2, tx3", "2: WHAT BECAME OF tx2, tx3", "2: WHAT BECAME OF tx3", "2: WHAT BECAME OF tx3")
		require.Equal(t, []int{2}, s.connected(), "the connection that asked is as good as before")

		// Whoever comes later begins anew.
		s.on("WHAT BECAME OF tx4", reply{says: []backend.Fate{kept}})
		require.NoError(t, lost(t, s, "tx4")())
	}, together)
}

// Nobody is asked for ever, and not for somebody who has given up.
func TestB12_ResolveCommitGivesUp(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		start := time.Now()
		err := lost(t, s, "tx1")()
		require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 30*time.Second, time.Since(start))
		s.forget()
		pass(time.Minute)
		s.sent()

		// Whoever comes later begins anew.
		s.on("WHAT BECAME OF tx2", reply{says: []backend.Fate{kept}})
		require.NoError(t, lost(t, s, "tx2")())
	}, together)
	play(t, func(t *testing.T, s *script) {
		answer := make(chan struct{})
		s.on("WHAT BECAME OF tx1", reply{until: answer, says: []backend.Fate{stillOpen}})
		one := aside(lost(t, s, "tx1"))
		pass(time.Second)
		two := aside(lost(t, s, "tx2"))
		close(answer)
		require.ErrorIs(t, one(), atomic.ErrCommitUnknown)
		s.on("WHAT BECAME OF tx2", reply{says: []backend.Fate{kept}})
		require.NoError(t, two(), "it came a second later, and so has one more")
	}, together)
}

// A server that cannot be asked, or that cannot tell.
func TestB12_ResolveCommitMeetsAnError(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("WHAT BECAME OF tx1", refuses(unnamed), reply{says: []backend.Fate{kept}})
		require.NoError(t, lost(t, s, "tx1")())
		s.sent("BEGIN; INSERT a", "WHICH TRANSACTION", "NOTE tx1; COMMIT", "2: WHAT BECAME OF tx1", "3: WHAT BECAME OF tx1")
		require.Equal(t, []int{3}, s.connected())
	}, together)
	play(t, func(t *testing.T, s *script) {
		s.on("WHAT BECAME OF tx1", reply{says: []backend.Fate{{Known: true, Err: &backend.UnresolvableError{Reason: "another history"}}}})
		start := time.Now()
		err := lost(t, s, "tx1")()
		require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		require.ErrorContains(t, err, "another history")
		require.Less(t, time.Since(start), time.Second, "nobody asks again")
	}, together)
	play(t, func(t *testing.T, s *script) {
		s.on("WHICH TRANSACTION", reply{says: "tx1"})
		s.on("COMMIT", refuses(gone))
		err := s.do(t.Context(), func(ctx context.Context) error {
			defer s.refuse(errAsked) // the server does not come back
			return s.exec(ctx, "INSERT a")
		}, atomic.ResolveCommit())
		s.refuse(nil)
		require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		require.ErrorIs(t, err, errAsked, "what the question has met with")
	}, together)
}

// A server that takes the question and says nothing: there is one reason, and it is told once.
func TestB12_ResolveCommitHasNoAnswer(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("WHAT BECAME OF tx1", reply{silent: true})
		err := lost(t, s, "tx1")()
		require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotContains(t, err.Error(), "last:")
	})
}

// A ReadOnly block whose COMMIT has no answer has written nothing, whatever its texts
// could have done elsewhere.
func TestB12_AReadOnlyBlockHasNothingToFindOut(t *testing.T) {
	for _, opts := range [][]atomic.Option{{atomic.ReadOnly()}, {atomic.ReadOnly(), atomic.ResolveCommit()}} {
		play(t, func(t *testing.T, s *script) {
			s.on("COMMIT", refuses(gone))
			err := s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "SELECT f()") }, opts...)
			require.ErrorIs(t, err, dialect.ErrConnectionLost)
			require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
			s.sent("BEGIN READ ONLY; SELECT f()", "COMMIT")
		})
	}
}
