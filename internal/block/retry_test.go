package block_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

// What the block saw the server say decides, and nothing else.
func TestB17_WhatIsRetried(t *testing.T) {
	plain := atomic.RetryPolicy{Max: 3}
	locks := atomic.RetryPolicy{Max: 3, Locks: true}
	connection := atomic.RetryPolicy{Max: 3, Connection: true}
	for name, c := range map[string]struct {
		text     string
		reply    reply
		policy   atomic.RetryPolicy
		attempts int
		opts     []atomic.Option
	}{
		"a deadlock":                         {"INSERT a", reply{err: deadlock, over: true}, plain, 2, nil},
		"a conflict":                         {"INSERT a", refuses(conflict), plain, 2, nil},
		"a conflict at COMMIT":               {"COMMIT", reply{err: conflict, over: true}, plain, 2, nil},
		"a deadlock in a control statement":  {"RESET WAIT", reply{err: deadlock, over: true}, plain, 2, []atomic.Option{atomic.LockTimeout(time.Second)}},
		"a conflict when it is marked":       {"WHICH TRANSACTION", reply{err: conflict, over: true}, plain, 2, []atomic.Option{atomic.ResolveCommit()}},
		"no lock":                            {"INSERT a", refuses(locked), plain, 1, nil},
		"no lock, with Locks":                {"INSERT a", refuses(locked), locks, 2, nil},
		"a lost connection":                  {"INSERT a", refuses(gone), plain, 1, nil},
		"a lost connection, with Locks":      {"INSERT a", refuses(gone), locks, 1, nil},
		"a lost connection, with Connection": {"INSERT a", refuses(gone), connection, 2, nil},
		"no lock, with Connection":           {"INSERT a", refuses(locked), connection, 1, nil},
		"no answer to COMMIT":                {"COMMIT", refuses(gone), connection, 1, nil},
		"COMMIT was not sent":                {"COMMIT", refuses(notSent), connection, 2, nil},
		"a key that exists":                  {"INSERT a", refuses(unique), atomic.RetryPolicy{Max: 3, Locks: true, Connection: true}, 1, nil},
		"Max is 0":                           {"INSERT a", refuses(conflict), atomic.RetryPolicy{}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				var attempts []int
				var d diary
				s.on(c.text, c.reply)
				err := s.do(t.Context(), func(ctx context.Context) error {
					attempts = append(attempts, atomic.Attempt(ctx, s.db))
					d.keep(ctx, t, s, fmt.Sprint(len(attempts)))
					if err := s.exec(ctx, "INSERT a"); err != nil {
						return fmt.Errorf("hidden: %s", err)
					}
					return nil
				}, append(c.opts, c.policy)...)
				require.Len(t, attempts, c.attempts)
				if c.attempts == 2 {
					require.NoError(t, err)
					require.Equal(t, []int{1, 2}, attempts)
					require.Equal(t, diary{"-1", "+2"}, d, "with fresh hooks")
					return
				}
				require.ErrorIs(t, err, c.reply.err, "what fn has hidden")
				require.NotErrorIs(t, err, atomic.ErrRetriesExhausted, "there were none")
			})
		})
	}
}

func TestB17_WhatIsNotRetried(t *testing.T) {
	for name, c := range map[string]struct {
		fn   func(ctx context.Context, s *script) error
		want error
	}{
		"a rollback that is asked for": {func(ctx context.Context, s *script) error { _ = s.exec(ctx, "INSERT a"); return atomic.Rollback }, nil},
		"a value that cannot be bound": {func(ctx context.Context, s *script) error { return s.exec(ctx, "INSERT a", make(chan int)) }, errUnbindable},
		"what is judged": {func(ctx context.Context, s *script) error {
			_, err := s.db.Exec(ctx, block.Statement{SQL: "UPDATE a", Judge: func(driver.Result) error { return errAsked }})
			return err
		}, errAsked},
		"a failure without the server's": {func(context.Context, *script) error { return errAsked }, errAsked},
		"a deadlock that somebody tells": {func(context.Context, *script) error { return &dialect.Error{Kind: dialect.ErrDeadlock} }, dialect.ErrDeadlock},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				if c.want == nil {
					s.on("INSERT a", refuses(conflict))
				}
				attempts := 0
				err := s.do(t.Context(), func(ctx context.Context) error { attempts++; return c.fn(ctx, s) }, atomic.Retry(3))
				require.Equal(t, 1, attempts)
				require.True(t, errors.Is(err, c.want) || err == nil && c.want == nil)
				require.NotErrorIs(t, err, atomic.ErrRetriesExhausted)
			})
		})
	}
	t.Run("a hook that fails after the commit", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			attempts := 0
			s.on("INSERT b", refuses(conflict)) // it is outside the block
			n, err := atomic.Value(t.Context(), s.db, func(ctx context.Context) (int, error) {
				attempts++
				s.must(ctx, "INSERT a")
				require.NoError(t, atomic.OnCommit(ctx, s.db, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }))
				return 7, nil
			}, atomic.Retry(3))
			var hook *atomic.HookError
			require.ErrorAs(t, err, &hook)
			require.True(t, hook.Committed)
			require.Equal(t, 1, attempts)
			require.Equal(t, 7, n)
		})
	})
	t.Run("an answer of the backoff library's", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.on("INSERT a", refuses(conflict))
			attempts := 0
			err := s.do(t.Context(), func(ctx context.Context) error {
				attempts++
				if attempts == 1 {
					_ = s.exec(ctx, "INSERT a")
					return fmt.Errorf("wrapped: %w", context.Canceled)
				}
				return nil
			}, atomic.Retry(1))
			require.NoError(t, err, "fn's own error decides nothing")
			require.Equal(t, 2, attempts)
		})
	})
}

func TestB17_ResolvedAsRolledBack(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		attempts := 0
		s.on("WHICH TRANSACTION", reply{says: "tx1"}, reply{says: "tx2"})
		s.on("COMMIT", refuses(gone))
		s.on("WHAT BECAME OF tx1", reply{says: false})
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			attempts++
			return s.exec(ctx, "INSERT a")
		}, atomic.ResolveCommit(), atomic.Retry(1)))
		require.Equal(t, 2, attempts)
	})
}

func TestB17_TheLastAttempt(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT a", refuses(conflict), refuses(conflict), refuses(conflict))
		attempts := 0
		err := s.do(t.Context(), func(ctx context.Context) error {
			attempts++
			require.Error(t, s.exec(ctx, "INSERT a"))
			return errAsked
		}, atomic.Retry(2))
		require.Equal(t, 3, attempts)
		require.ErrorIs(t, err, atomic.ErrRetriesExhausted)
		require.ErrorIs(t, err, errAsked)
		require.ErrorIs(t, err, dialect.ErrSerializationFailure)
		require.ErrorContains(t, err, "3 attempts")
		n := 0
		s.on("INSERT a", refuses(conflict))
		value, err := atomic.Value(t.Context(), s.db, func(ctx context.Context) (int, error) {
			n++
			return n, s.exec(ctx, "INSERT a")
		}, atomic.Retry(2))
		require.NoError(t, err)
		require.Equal(t, 2, value)
	})
}

func TestB17_TheWaitRespectsCtx(t *testing.T) {
	for name, opts := range map[string][]atomic.Option{"ctx": nil, "Timeout": {atomic.Timeout(time.Minute)}} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("INSERT a", refuses(conflict))
				ctx, cancel := context.WithCancelCause(t.Context())
				want := atomic.ErrTimeout
				if opts == nil {
					want = errCaller
					time.AfterFunc(time.Minute, func() { cancel(errCaller) })
				}
				start := time.Now()
				// A wait of years, but for an unlucky draw.
				err := s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT a") },
					append(opts, atomic.RetryPolicy{Max: 3, Base: 1 << 60, Cap: 1 << 60})...)
				require.ErrorIs(t, err, want)
				require.ErrorIs(t, err, dialect.ErrSerializationFailure, "what it waited for")
				require.NotErrorIs(t, err, atomic.ErrRetriesExhausted)
				require.Equal(t, 1, strings.Count(err.Error(), want.Error()), "it is told once: %v", err)
				require.LessOrEqual(t, time.Since(start), time.Minute)
				cancel(nil)
			})
		})
	}
	// ctx ends in the last attempt: its cause is told as well.
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT a", refuses(conflict))
		ctx, cancel := context.WithCancelCause(t.Context())
		err := s.do(ctx, func(ctx context.Context) error {
			err := s.exec(ctx, "INSERT a")
			cancel(errCaller)
			return err
		}, atomic.RetryPolicy{})
		require.ErrorIs(t, err, errCaller)
		require.Equal(t, 1, strings.Count(err.Error(), errCaller.Error()), "%v", err)
		require.ErrorIs(t, err, dialect.ErrSerializationFailure)
		require.ErrorIs(t, s.do(ctx, never(t), atomic.Retry(1)), errCaller, "it has ended before")
	})
}

// The waits are random, bounded by twice the last bound, and by Cap.
func TestB17_TheWaitsGrow(t *testing.T) {
	for name, c := range map[string]struct {
		policy atomic.RetryPolicy
		bounds []time.Duration
	}{
		"as one says": {atomic.RetryPolicy{Base: time.Second, Cap: 3 * time.Second}, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second}},
		"the default": {atomic.RetryPolicy{}, []time.Duration{20 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond, 160 * time.Millisecond,
			320 * time.Millisecond, 640 * time.Millisecond, 1280 * time.Millisecond, 2 * time.Second, 2 * time.Second}},
		"Cap below Base": {atomic.RetryPolicy{Base: 4 * time.Second, Cap: time.Second}, []time.Duration{4 * time.Second, 4 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			longest := make([]time.Duration, len(c.bounds))
			play(t, func(t *testing.T, s *script) {
				for range 60 {
					c.policy.Max = len(c.bounds)
					for range len(c.bounds) + 1 {
						s.on("INSERT a", refuses(conflict))
					}
					last := time.Now()
					_ = s.do(t.Context(), func(ctx context.Context) error {
						if n := atomic.Attempt(ctx, s.db); n > 1 {
							longest[n-2] = max(longest[n-2], time.Since(last))
						}
						err := s.exec(ctx, "INSERT a")
						last = time.Now()
						return err
					}, c.policy)
				}
			})
			for i, bound := range c.bounds {
				require.LessOrEqual(t, longest[i], bound+1, i)
				require.Greater(t, longest[i], bound/2, "the longest of sixty: %d", i)
			}
		})
	}
}
