package block_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
)

// What a block has done is told by its ctx when it has ended, and by none before.
func TestWorked(t *testing.T) {
	write := func(ctx context.Context, s *script) error { return s.exec(ctx, "INSERT a") }
	for name, c := range map[string]struct {
		fn                func(ctx context.Context, s *script) error
		opts              []atomic.Option
		committed, worked bool
	}{
		"wrote":                  {fn: write, committed: true, worked: true},
		"wrote, and rolled back": {fn: func(ctx context.Context, s *script) error { s.must(ctx, "INSERT a"); return errAsked }},
		"read-only":              {fn: write, opts: []atomic.Option{atomic.ReadOnly()}, committed: true},
		"a hook and nothing else": {fn: func(ctx context.Context, s *script) error {
			return atomic.OnCommit(ctx, s.db, func(context.Context) error { return nil })
		}, committed: true, worked: true},
		"a hook in a read-only one": {fn: func(ctx context.Context, s *script) error {
			return atomic.OnCommit(ctx, s.db, func(context.Context) error { return nil })
		}, opts: []atomic.Option{atomic.ReadOnly()}, committed: true, worked: true},
		"nothing": {fn: func(context.Context, *script) error { return nil }, committed: true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				var inside context.Context
				err := s.do(t.Context(), func(ctx context.Context) error {
					inside = ctx
					require.False(t, s.db.Committed(ctx) || s.db.Worked(ctx), "it goes on")
					return c.fn(ctx, s)
				}, c.opts...)
				if !c.committed {
					require.ErrorIs(t, err, errAsked)
				}
				require.Equal(t, c.committed, s.db.Committed(inside))
				require.Equal(t, c.worked, s.db.Worked(inside))
				require.False(t, s.db.Committed(t.Context()) || s.db.Worked(t.Context()), "outside any")
			})
		})
	}
}
