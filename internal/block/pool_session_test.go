package block_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A block in a session that has set another block aside gets its connection while that one
// looks who has any, for its own first statement.
func TestB18_ASessionBesideTheFirstStatement(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for range 50 {
			assert.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
				var both sync.WaitGroup
				both.Go(func() {
					assert.NoError(t, s.do(ctx, func(ctx context.Context) error {
						session, inside := s.session(ctx)
						s.must(inside, "SET a") // it has a connection to lend
						assert.NoError(t, s.do(inside, func(ctx context.Context) error { pass(2 * time.Second); return nil }))
						return session.Close()
					}, suspended))
				})
				both.Go(func() { pass(time.Second); assert.NoError(t, s.exec(ctx, "INSERT a")) })
				both.Wait()
				return nil
			}))
		}
	}, setup{room: 9})
}
