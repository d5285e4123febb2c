package block_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

// lock is a locking read with a limit of its own.
func (s *script) lock(ctx context.Context, text string, wait time.Duration) error {
	_, err := s.db.Exec(ctx, block.Statement{SQL: text, Built: true, Locks: true, Wait: &wait})
	return err
}

func TestB19_LockTimeoutIsSetAndTakenBack(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		block := func(ctx context.Context) error {
			s.must(ctx, "UPDATE a", "UPDATE b")
			return nil
		}
		require.NoError(t, s.do(t.Context(), block, atomic.LockTimeout(time.Second)))
		s.sent("BEGIN; SET WAIT 1s; UPDATE a", "UPDATE b", "RESET WAIT; COMMIT")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			_ = block(ctx)
			return atomic.Rollback
		}, atomic.LockTimeout(0)))
		s.sent("BEGIN; SET WAIT 0s; UPDATE a", "UPDATE b", "ROLLBACK; RESET WAIT")
	})
}

func TestL04_AStatementsOwnLimit(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.lock(ctx, "SELECT a", time.Second))
			require.NoError(t, s.lock(ctx, "SELECT b", time.Second))
			require.NoError(t, s.lock(ctx, "SELECT c", 0))
			s.must(ctx, "UPDATE a", "UPDATE b")
			return nil
		}))
		s.sent("BEGIN; SET WAIT 1s; SELECT a", "SELECT b", "RESET WAIT; SET WAIT 0s; SELECT c", "RESET WAIT; UPDATE a", "UPDATE b", "COMMIT")
	})
}

// The limit of a nested block holds for it alone, and its savepoint does not
// take the setting back.
func TestB19_LockTimeoutOfANestedBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		nested := func(ctx context.Context, result error) {
			require.Equal(t, result, s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "UPDATE inner")
				return result
			}, atomic.LockTimeout(2*time.Second)))
		}
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "UPDATE a")
			nested(ctx, nil)
			s.must(ctx, "UPDATE b")
			nested(ctx, errAsked)
			s.must(ctx, "UPDATE c")
			return nil
		}, atomic.LockTimeout(time.Second)))
		s.sent("BEGIN; SET WAIT 1s; UPDATE a", "SAVEPOINT hf_1; RESET WAIT; SET WAIT 2s; UPDATE inner",
			"RELEASE SAVEPOINT hf_1; RESET WAIT; SET WAIT 1s; UPDATE b", "SAVEPOINT hf_1; RESET WAIT; SET WAIT 2s; UPDATE inner",
			"ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; RESET WAIT; SET WAIT 1s; UPDATE c", "RESET WAIT; COMMIT")
	})
}

// Where settings are a part of the transaction, its end takes them back, and so
// does the rollback to a savepoint.
func TestB19_LockTimeoutThatTheServerTakesBack(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "UPDATE a")
			require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "UPDATE inner")
				return errAsked
			}, atomic.LockTimeout(2*time.Second)), errAsked)
			s.must(ctx, "UPDATE b")
			return nil
		}, atomic.LockTimeout(time.Second), atomic.IdleTimeout(time.Minute)))
		s.sent("BEGIN; SET IDLE 1m0s; SET WAIT 1s; UPDATE a", "SAVEPOINT hf_1; RESET WAIT; SET WAIT 2s; UPDATE inner",
			"ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; UPDATE b", "COMMIT")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.lock(ctx, "SELECT a", time.Second))
			s.must(ctx, "UPDATE a")
			return atomic.Rollback
		}))
		s.sent("BEGIN; SET WAIT 1s; SELECT a", "RESET WAIT; UPDATE a", "ROLLBACK")
	}, setup{spelling: transactional})
}

// Where BEGIN itself waits for the lock, the limit is set in front of it.
func TestB19_LockTimeoutBeforeBegin(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "UPDATE a", "UPDATE b")
			return nil
		}, atomic.LockTimeout(time.Second)))
		s.sent("SET WAIT 1s; BEGIN; UPDATE a", "UPDATE b", "RESET WAIT; COMMIT")
	}, setup{spelling: before})
}

// A BEGIN that gets no lock fails the block that asked, and those around it may
// begin the transaction later.
func TestL04_BeginDoesNotGetTheLock(t *testing.T) {
	for name, outerGoesOn := range map[string]bool{"and the outer block begins later": true, "and nobody begins": false} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("BEGIN", refuses(locked))
				require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
					err := s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "UPDATE a") }, atomic.LockTimeout(time.Second))
					require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
					require.ErrorContains(t, err, "BEGIN was refused")
					require.NotErrorIs(t, err, atomic.ErrRollbackRequired)
					require.False(t, atomic.NeedsRollback(ctx, s.db))
					if outerGoesOn {
						s.must(ctx, "UPDATE b")
					}
					return nil
				}))
				if outerGoesOn {
					s.sent("SET WAIT 1s; BEGIN; SAVEPOINT hf_1; UPDATE a", "RESET WAIT; BEGIN; UPDATE b", "COMMIT")
				} else {
					s.sent("SET WAIT 1s; BEGIN; SAVEPOINT hf_1; UPDATE a", "RESET WAIT")
				}
				require.Equal(t, []int{1}, s.connected())
			}, setup{spelling: before})
		})
	}
}

// What is no lock, or no refusal of BEGIN itself, is the end of the transaction.
func TestB13_BeginIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		err  error
	}{
		"for another reason":              {"BEGIN", &serverError{code: "1040"}},
		"by the statement that is before": {"SET WAIT 1s", &serverError{code: "1231"}},
		"when the connection goes":        {"BEGIN", gone},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on(c.text, refuses(c.err))
				err := s.do(t.Context(), func(ctx context.Context) error {
					err := s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "UPDATE a") })
					require.ErrorContains(t, err, c.text+" was refused")
					require.True(t, atomic.NeedsRollback(ctx, s.db))
					return nil
				}, atomic.LockTimeout(time.Second))
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
				require.Empty(t, s.connected())
			}, setup{spelling: before})
		})
	}
}

// Only a BEGIN that was refused leaves no transaction behind: what else looks like
// it has ended one, or left one open.
func TestB08_NoLockAfterBegin(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		reply  reply
		opened bool // by a statement before
	}{
		"the server has rolled back":       {"UPDATE a", reply{err: &serverError{kind: dialect.ErrLockNotAvailable, code: "1205", fatal: true}, over: true}, false},
		"the transaction is open":          {"SAVEPOINT hf_1", refuses(locked), false},
		"a later control statement":        {"SAVEPOINT hf_1", reply{err: locked, over: true}, true},
		"the server has rolled back later": {"UPDATE a", reply{err: &serverError{kind: dialect.ErrLockNotAvailable, code: "1205", fatal: true}, over: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on(c.text, c.reply)
				err := s.do(t.Context(), func(ctx context.Context) error {
					if c.opened {
						s.must(ctx, "INSERT first")
					}
					err := s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "UPDATE a") })
					require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
					require.True(t, atomic.NeedsRollback(ctx, s.db))
					return nil
				})
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			})
		})
	}
}

// A session whose setting could not be taken back is nobody else's.
func TestB23_ASettingThatCannotBeTakenBack(t *testing.T) {
	for _, result := range []error{nil, atomic.Rollback} {
		play(t, func(t *testing.T, s *script) {
			s.on("RESET WAIT", refuses(unnamed))
			_ = s.do(t.Context(), func(ctx context.Context) error {
				s.must(ctx, "UPDATE a")
				return result
			}, atomic.LockTimeout(time.Second))
			require.Empty(t, s.connected())
		})
	}
	play(t, func(t *testing.T, s *script) {
		s.on("BEGIN", refuses(locked))
		s.on("RESET WAIT", refuses(unnamed))
		_ = s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "UPDATE a") }, atomic.LockTimeout(time.Second))
		require.Empty(t, s.connected())
	}, setup{spelling: before})
}

func TestL02_ALockingReadInAReadOnlyBlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			err := s.do(ctx, func(ctx context.Context) error { return s.lock(ctx, "SELECT a", 0) })
			require.ErrorIs(t, err, dialect.ErrReadOnly)
			require.ErrorContains(t, err, "SELECT a")
			return s.exec(ctx, "SELECT b")
		}, atomic.ReadOnly()))
		s.sent("BEGIN READ ONLY; SELECT b", "COMMIT")
	})
}
