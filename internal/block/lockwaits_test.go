package block_test

import (
	"context"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

// A question that the statement's end finds in progress delays it a little.
func TestExplainLocks_AQuestionInProgress(t *testing.T) {
	for name, c := range map[string]struct {
		answer time.Duration
		seen   bool
		delay  time.Duration
	}{"is waited for": {200 * time.Millisecond, true, 240 * time.Millisecond}, "but not for ever": {time.Hour, false, 350 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("WHO WAITS", after(40*time.Millisecond+c.answer, reply{says: []dialect.LockWait{waitsFor(1, 7)}}))
				if !c.seen {
					s.on("WHO HELD 1 UP", reply{})
				}
				s.on("UPDATE a", after(100*time.Millisecond, refuses(locked)))
				start := time.Now()
				err := s.explained()
				require.Equal(t, c.delay, time.Since(start))
				if c.seen {
					require.ErrorAs(t, err, new(*atomic.LockHeldError))
				} else {
					require.NotErrorAs(t, err, new(*atomic.LockHeldError))
				}
			}, lockWaits)
		})
	}
}

// The questions after an error have a limit.
func TestExplainLocks_AQuestionAfterwards(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("UPDATE a", refuses(locked))
		s.on("WHO HELD 1 UP", reply{silent: true})
		start := time.Now()
		err := s.explained()
		require.Equal(t, time.Second, time.Since(start))
		require.NotErrorAs(t, err, new(*atomic.LockHeldError))
	}, lockWaits)
}

// A look that fails is not the last one, and does not make what was seen unseen.
func TestExplainLocks_ALookThatFails(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("WHO WAITS", refuses(unnamed), reply{says: []dialect.LockWait{waitsFor(1, 7)}}, refuses(unnamed))
		s.on("UPDATE a", after(600*time.Millisecond, refuses(locked)))
		all, _ := ids(t, s.explained())
		require.Equal(t, []int64{7}, all)
	}, lockWaits)
}

// No connection is free to ask on: the statement does not wait for one.
func TestExplainLocks_NoConnectionIsFree(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("UPDATE a", after(time.Minute, reply{}))
		start := time.Now()
		require.NoError(t, s.explained())
		require.Equal(t, time.Minute, time.Since(start))
		s.sent("BEGIN; UPDATE a", "COMMIT")
	}, setup{engine: watching, room: 1})
}

// A connection that does not know its number is asked before the transaction.
func TestExplainLocks_WhoAmI(t *testing.T) {
	anonymous := setup{engine: watching, anonymous: true}
	play(t, func(t *testing.T, s *script) {
		s.on("WHO AM I", reply{says: int64(5)})
		s.on("UPDATE a", refuses(locked))
		s.on("WHO HELD 5 UP", reply{says: holders{[]dialect.LockParty{{ConnectionID: 7}}, true}})
		require.ErrorAs(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT b")
			return s.exec(ctx, "UPDATE a")
		}, atomic.ExplainLocks()), new(*atomic.LockHeldError))
		s.sent("WHO AM I", "BEGIN; INSERT b", "UPDATE a", "2: WHO HELD 5 UP", "ROLLBACK")
	}, anonymous)
	// Inside it a question could change its outcome.
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT b")
			return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "UPDATE a") }, atomic.ExplainLocks())
		}))
		s.sent("BEGIN; INSERT b", "SAVEPOINT hf_1; UPDATE a", "COMMIT")
	}, anonymous)
	play(t, func(t *testing.T, s *script) {
		s.on("WHO AM I", refuses(unnamed))
		s.on("UPDATE a", refuses(locked))
		err := s.explained()
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		s.sent("WHO AM I", "BEGIN; UPDATE a", "ROLLBACK")
	}, anonymous)
}

func TestExplainLocks_AnAdvisoryLock(t *testing.T) {
	for name, c := range map[string]struct {
		has, are reply
		ids      []int64
	}{
		"held by somebody": {reply{rows: values(0, 1, 7)}, reply{says: []dialect.LockParty{{ConnectionID: 7}}}, []int64{7}},
		"nobody can say":   {refuses(unnamed), reply{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("TAKE a", reply{rows: []driver.Value{false}})
				s.on("WHO HAS a", c.has)
				if c.ids != nil {
					s.on("WHO ARE [7]", c.are)
				}
				err := s.do(t.Context(), func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s.db, "a") }, atomic.ExplainLocks())
				require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
				if c.ids == nil {
					require.NotErrorAs(t, err, new(*atomic.LockHeldError))
					s.sent("BEGIN; TAKE a", "2: WHO HAS a", "ROLLBACK")
					return
				}
				all, held := ids(t, err)
				require.Equal(t, c.ids, all)
				require.True(t, held.Certain)
			}, lockWaits)
		})
	}
}

// The lock is waited for while the rows are read.
func TestExplainLocks_Rows(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1), failure: locked})
		s.on("WHO HELD 1 UP", reply{says: holders{[]dialect.LockParty{{ConnectionID: 7}}, true}})
		require.ErrorAs(t, s.do(t.Context(), func(ctx context.Context) error {
			rows, err := s.stream(ctx, "SELECT a")
			require.NoError(t, err)
			return rows.Close()
		}, atomic.ExplainLocks()), new(*atomic.LockHeldError))
	}, lockWaits)
}

func TestLockWaits_AsksOutsideTheBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		always(s, 2, waitsFor(1, 7))
		waits, err := s.db.LockWaits(t.Context())
		require.NoError(t, err)
		require.Equal(t, []dialect.LockWait{waitsFor(1, 7)}, waits)
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			_, err := s.db.LockWaits(ctx)
			return err
		}))
		s.sent("WHO WAITS", "BEGIN; INSERT a", "2: WHO WAITS", "COMMIT")
		s.on("WHO WAITS", refuses(unique))
		_, err = s.db.LockWaits(t.Context())
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
	}, lockWaits)
	for name, set := range map[string]setup{"the engine does not know": {}, "the server does not": {engine: watching, server: sqlite}} {
		play(t, func(t *testing.T, s *script) {
			_, err := s.db.LockWaits(t.Context())
			require.ErrorIs(t, err, dialect.ErrUnsupported, name)
			s.sent()
		}, set)
	}
}

// When the pool is in use, those who use it may be what the question is about.
func TestLockWaits_WhenThePoolIsInUse(t *testing.T) {
	full := setup{engine: watching, room: 1, reserve: true}
	play(t, func(t *testing.T, s *script) {
		always(s, 2, waitsFor(1, 7))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.db.LockWaits(ctx)
			require.NoError(t, err)
			s.must(ctx, "INSERT a")
			_, err = s.db.LockWaits(ctx)
			require.NoError(t, err)
			return nil
		}))
		s.sent("WHO WAITS", "BEGIN; INSERT a", "2: WHO WAITS", "COMMIT")
		require.Equal(t, []int{1}, s.connected(), "one beside the pool is not kept")
	}, full)
	// A pool without a limit always has room.
	play(t, func(t *testing.T, s *script) {
		always(s, 1)
		_, err := s.db.LockWaits(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{1}, s.connected())
	}, setup{engine: watching, reserve: true})
	// The server has no room for one more: the pool may have some soon.
	for name, c := range map[string]struct {
		free time.Duration
		ok   bool
		took time.Duration
	}{"soon": {time.Second / 2, true, time.Second / 2}, "too late": {time.Minute, false, time.Second}} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				if c.ok {
					always(s, 1, waitsFor(1, 7))
				}
				done := aside(func() error {
					return s.do(t.Context(), func(ctx context.Context) error {
						s.must(ctx, "INSERT a")
						pass(c.free)
						return nil
					})
				})
				s.refuse(&serverError{code: "1040"})
				start := time.Now()
				_, err := s.db.LockWaits(t.Context())
				require.InDelta(t, c.took, time.Since(start), float64(time.Millisecond))
				if c.ok {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, dialect.ErrConnectionLost)
					require.ErrorContains(t, err, "1040")
				}
				require.NoError(t, done())
			}, full)
		})
	}
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			s.on("(connect)", reply{until: make(chan struct{})})
			inner, cancel := context.WithTimeoutCause(ctx, time.Minute, errCaller)
			defer cancel()
			start := time.Now()
			_, err := s.db.LockWaits(inner)
			require.ErrorIs(t, err, errCaller)
			require.Equal(t, time.Minute, time.Since(start))
			return nil
		}))
	}, full)
	// Without connections beside the pool the block would wait for itself.
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			_, err := s.db.LockWaits(ctx)
			require.ErrorIs(t, err, atomic.ErrPoolExhausted)
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			return nil
		}))
	}, setup{engine: watching, room: 1})
}
