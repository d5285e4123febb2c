package block_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block"
)

func TestB16_HooksRunAfterTheOutermostCommitInOrder(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		type key struct{}
		caller := context.WithValue(t.Context(), key{}, "caller's")
		var ran []string
		hook := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				require.False(t, atomic.In(ctx, s.db), "outside the block")
				require.Equal(t, "caller's", ctx.Value(key{}))
				require.Zero(t, s.pool.Stats().InUse, "with the connection back in the pool")
				ran = append(ran, name)
				return nil
			}
		}
		require.NoError(t, s.do(caller, func(ctx context.Context) error {
			require.NoError(t, atomic.OnCommit(ctx, s.db, hook("1")))
			require.NoError(t, s.do(ctx, func(ctx context.Context) error {
				require.NoError(t, atomic.OnCommit(ctx, s.db, hook("2")))
				return s.do(ctx, func(ctx context.Context) error { return atomic.OnCommit(ctx, s.db, hook("3")) }, atomic.NoSavepoint())
			}))
			require.NoError(t, atomic.OnCommit(ctx, s.db, hook("4")))
			s.must(ctx, "INSERT a")
			require.Empty(t, ran)
			return nil
		}))
		require.Equal(t, []string{"1", "2", "3", "4"}, ran)
	})
}

func TestB16_HooksOfWhatWasRolledBack(t *testing.T) {
	nothing := func(context.Context) error { return nil }
	for name, c := range map[string]struct {
		fn   func(ctx context.Context, t *testing.T, s *script, d *diary) error
		want diary
	}{
		"all": {func(ctx context.Context, t *testing.T, s *script, d *diary) error {
			d.keep(ctx, t, s, "1")
			return errAsked
		}, diary{"-1"}},
		"a rollback that is asked for": {func(ctx context.Context, t *testing.T, s *script, d *diary) error {
			d.keep(ctx, t, s, "1")
			return atomic.Rollback
		}, diary{"-1"}},
		"a nested block": {func(ctx context.Context, t *testing.T, s *script, d *diary) error {
			d.keep(ctx, t, s, "1")
			_ = s.do(ctx, func(ctx context.Context) error { d.keep(ctx, t, s, "2"); return errAsked })
			d.keep(ctx, t, s, "3")
			return nil
		}, diary{"+1", "-2", "+3"}},
		"one that had ended well": {func(ctx context.Context, t *testing.T, s *script, d *diary) error {
			_ = s.do(ctx, func(ctx context.Context) error {
				require.NoError(t, s.do(ctx, func(ctx context.Context) error { d.keep(ctx, t, s, "2"); return nil }))
				d.keep(ctx, t, s, "3")
				return errAsked
			})
			d.keep(ctx, t, s, "4")
			return nil
		}, diary{"-2", "-3", "+4"}},
		"the outer after the nested": {func(ctx context.Context, t *testing.T, s *script, d *diary) error {
			_ = s.do(ctx, func(ctx context.Context) error { d.keep(ctx, t, s, "1"); return errAsked })
			require.NoError(t, s.do(ctx, func(ctx context.Context) error { d.keep(ctx, t, s, "2"); return nil }))
			return errAsked
		}, diary{"-1", "-2"}},
		"to a savepoint": {func(ctx context.Context, t *testing.T, s *script, d *diary) error {
			d.keep(ctx, t, s, "1")
			p, err := atomic.Savepoint(ctx, s.db)
			require.NoError(t, err)
			d.keep(ctx, t, s, "2")
			require.NoError(t, s.do(ctx, nothing))
			require.NoError(t, p.Rollback(ctx))
			d.keep(ctx, t, s, "3")
			return nil
		}, diary{"+1", "-2", "+3"}},
		"a savepoint that is released": {func(ctx context.Context, t *testing.T, s *script, d *diary) error {
			p, err := atomic.Savepoint(ctx, s.db)
			require.NoError(t, err)
			d.keep(ctx, t, s, "1")
			return p.Release(ctx)
		}, diary{"+1"}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				var d diary
				_ = s.do(t.Context(), func(ctx context.Context) error { return c.fn(ctx, t, s, &d) })
				require.Equal(t, c.want, d)
			})
		})
	}
}

func TestB16_AFailingHookStopsTheLaterOnes(t *testing.T) {
	for name, committed := range map[string]bool{"committed": true, "rolled back": false} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				register := atomic.OnRollback
				if committed {
					register = atomic.OnCommit
				}
				ran := 0
				err := s.do(t.Context(), func(ctx context.Context) error {
					for _, result := range []error{nil, errCaller, nil, nil} {
						require.NoError(t, register(ctx, s.db, func(context.Context) error { ran++; return result }))
					}
					s.must(ctx, "INSERT a")
					if committed {
						return nil
					}
					return errAsked
				}, atomic.Name("hooked"))
				var hook *atomic.HookError
				require.ErrorAs(t, err, &hook)
				require.Equal(t, 2, ran)
				require.Equal(t, &atomic.HookError{Block: hook.Block, Committed: committed, Hook: 2, Skipped: 2, Err: errCaller}, hook)
				require.Equal(t, "hooked", hook.Block.Name)
				require.Equal(t, !committed, errors.Is(err, errAsked))
			})
		})
	}
}

func TestB16_RobustHooksAreLogged(t *testing.T) {
	var log bytes.Buffer
	play(t, func(t *testing.T, s *script) {
		var ran []string
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			for name, fn := range []func() error{
				func() error { return errCaller },
				func() error { panic("it fell over") },
				func() error { return nil },
			} {
				require.NoError(t, atomic.OnCommit(ctx, s.db, func(context.Context) error {
					ran = append(ran, string(rune('a'+name)))
					return fn()
				}, atomic.Robust()))
			}
			return nil
		}, atomic.Name("hooked")))
		require.Equal(t, []string{"a", "b", "c"}, ran)
		lines := strings.Split(log.String(), "\n")
		require.Len(t, lines, 3)
		require.Contains(t, lines[0], "hook failed")
		require.Contains(t, lines[0], errCaller.Error())
		require.Contains(t, lines[0], "hooked")
		require.Contains(t, lines[1], "hook panicked")
		require.Contains(t, lines[1], "it fell over")
		require.Contains(t, lines[1], "hooks_test.go", "with its stack")
	}, setup{settings: block.Settings{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
}

func TestB16_APanicOfAHookGoesOn(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.PanicsWithValue(t, "it fell over", func() {
			_ = s.do(t.Context(), func(ctx context.Context) error {
				require.NoError(t, atomic.OnCommit(ctx, s.db, func(context.Context) error { panic("it fell over") }))
				require.NoError(t, atomic.OnCommit(ctx, s.db, never(t)))
				return s.exec(ctx, "INSERT a")
			})
		})
		s.sent("BEGIN; INSERT a", "COMMIT")
	})
}

func TestB16_OutsideAnyBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.Equal(t, errAsked, atomic.OnCommit(t.Context(), s.db, func(context.Context) error { return errAsked }))
		require.NoError(t, atomic.OnCommit(t.Context(), s.db, func(context.Context) error { return errAsked }, atomic.Robust()))
		require.NoError(t, atomic.OnRollback(t.Context(), s.db, never(t)))
		require.ErrorIs(t, atomic.OnCommit(t.Context(), s.db, nil), atomic.ErrOption)
		require.ErrorIs(t, atomic.OnRollback(t.Context(), s.db, never(t), nil), atomic.ErrOption)
	}, setup{settings: block.Settings{Logger: slog.New(slog.DiscardHandler)}})
}

func TestB16_AHookThatIsRefused(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			err := atomic.OnCommit(ctx, s.db, nil)
			require.ErrorIs(t, err, atomic.ErrOption)
			require.ErrorContains(t, err, "depth 1")
			require.ErrorIs(t, atomic.OnCommit(ctx, s.db, never(t), nil), atomic.ErrOption)
			return nil
		}))
	})
}

// A failed block takes hooks still: those of OnRollback run.
func TestB16_AHookOfAFailedBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var d diary
		s.on("INSERT a", refuses(unique))
		_ = s.do(t.Context(), func(ctx context.Context) error {
			err := s.exec(ctx, "INSERT a")
			d.keep(ctx, t, s, "late")
			return err
		})
		require.Equal(t, diary{"-late"}, d)
	})
}

// After a panic of fn the block's hooks run, and the panic goes on.
func TestB16_HooksAfterAPanic(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		var d diary
		require.PanicsWithValue(t, "fn", func() {
			_ = s.do(t.Context(), func(ctx context.Context) error {
				d.keep(ctx, t, s, "1")
				panic("fn")
			})
		})
		require.Equal(t, diary{"-1"}, d)
	})
}

// The error of a hook is nobody's where another attempt follows: it is logged.
func TestB16_AHookOfAnAttemptThatIsRepeated(t *testing.T) {
	var log bytes.Buffer
	play(t, func(t *testing.T, s *script) {
		attempts := 0
		s.on("INSERT a", refuses(conflict))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			if attempts++; attempts > 1 {
				return nil
			}
			require.NoError(t, atomic.OnRollback(ctx, s.db, func(context.Context) error { return errCaller }))
			return s.exec(ctx, "INSERT a")
		}, atomic.Retry(1)))
		require.Equal(t, 1, strings.Count(log.String(), errCaller.Error()), log.String())
	}, setup{settings: block.Settings{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
}
