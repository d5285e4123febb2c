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

// limit is an option as orm.Wait and orm.NoWait are.
type limit time.Duration

func (l limit) WaitLimit() (time.Duration, error) {
	if l < 0 {
		return 0, errAsked
	}
	return time.Duration(l), nil
}

var namedLocks = setup{engine: locking}

func TestAdvisoryLock_IsTakenInTheBlock(t *testing.T) {
	for name, v := range map[string]driver.Value{"a number": int64(1), "a bool": true, "bytes": []byte("1"), "a text": "1"} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("TAKE a", reply{rows: []driver.Value{v}})
				require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
					require.NoError(t, atomic.AdvisoryLock(ctx, s.db, "a"))
					return s.exec(ctx, "INSERT b")
				}))
				s.sent("BEGIN; TAKE a", "INSERT b", "COMMIT")
			}, namedLocks)
		})
	}
}

func TestAdvisoryLock_IsNotObtained(t *testing.T) {
	for name, r := range map[string]reply{
		"a number": {rows: values(0)}, "a bool": {rows: []driver.Value{false}}, "bytes": {rows: []driver.Value{[]byte("0")}},
		"a text": {rows: []driver.Value{"0"}}, "something else": {rows: []driver.Value{1.5}}, "no row": {}, "an error": {err: locked},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("TAKE a", r)
				require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
					err := s.do(ctx, func(ctx context.Context) error {
						err := atomic.AdvisoryLock(ctx, s.db, "a")
						require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
						require.True(t, atomic.NeedsRollback(ctx, s.db), "it marks the block")
						return err
					})
					require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
					require.False(t, atomic.NeedsRollback(ctx, s.db))
					return nil
				}))
				s.sent("BEGIN; SAVEPOINT hf_1; TAKE a", "ROLLBACK TO SAVEPOINT hf_1; COMMIT")
			}, namedLocks)
		})
	}
	for name, r := range map[string]reply{"interrupted": {rows: []driver.Value{nil}}, "broken off": {failure: unnamed}, "at the end": {rows: values(1), failure: unnamed}} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("TAKE a", r)
				err := s.do(t.Context(), func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s.db, "a") })
				require.Error(t, err)
				require.NotErrorIs(t, err, dialect.ErrLockNotAvailable)
			}, namedLocks)
		})
	}
}

// Where the lock outlives the transaction it is given back, once for each time
// that it was obtained, on every way out.
func TestAdvisoryLock_IsGivenBack(t *testing.T) {
	for _, result := range []error{nil, errAsked} {
		play(t, func(t *testing.T, s *script) {
			s.on("TAKE kept", reply{rows: values(1)}, reply{rows: values(1)}, reply{rows: values(0)})
			require.Equal(t, result, s.do(t.Context(), func(ctx context.Context) error {
				require.NoError(t, atomic.AdvisoryLock(ctx, s.db, "kept"))
				require.NoError(t, atomic.AdvisoryLock(ctx, s.db, "kept"))
				require.Error(t, s.do(ctx, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s.db, "kept") }))
				return result
			}))
			end := "ROLLBACK"
			if result == nil {
				end = "ROLLBACK TO SAVEPOINT hf_1; COMMIT"
			}
			s.sent("BEGIN; TAKE kept", "TAKE kept", "SAVEPOINT hf_1; TAKE kept", end, "GIVE BACK kept; GIVE BACK kept")
			require.Equal(t, []int{1}, s.connected())
		}, namedLocks)
	}
	play(t, func(t *testing.T, s *script) {
		s.on("TAKE kept", reply{rows: values(1)})
		s.on("GIVE BACK kept", refuses(unnamed))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s.db, "kept") }))
		require.Empty(t, s.connected(), "closing the connection gives everything back")
	}, namedLocks)
	play(t, func(t *testing.T, s *script) {
		s.on("TAKE kept", reply{rows: values(1)})
		s.on("INSERT a", refuses(gone))
		_ = s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, atomic.AdvisoryLock(ctx, s.db, "kept"))
			return s.exec(ctx, "INSERT a")
		})
		s.sent("BEGIN; TAKE kept", "INSERT a")
	}, namedLocks)
}

func TestAdvisoryLock_WaitsAsLongAsItMay(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for range 4 {
			s.on("TAKE a", reply{rows: values(1)})
		}
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, atomic.AdvisoryLock(ctx, s.db, "a"))
			require.NoError(t, atomic.AdvisoryLock(ctx, s.db, "a", limit(time.Second)))
			require.NoError(t, atomic.AdvisoryLock(ctx, s.db, "a", limit(time.Second), limit(time.Second)))
			return s.do(ctx, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s.db, "a") }, atomic.LockTimeout(time.Minute))
		}))
		s.sent("BEGIN; TAKE a", "SET WAIT 1s; TAKE a", "TAKE a", "SAVEPOINT hf_1; RESET WAIT; SET WAIT 1m0s; TAKE a", "RESET WAIT; COMMIT")
	}, namedLocks)
}

func TestAdvisoryLock_Misuse(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, atomic.AdvisoryLock(t.Context(), s.db, "a"), atomic.ErrNotInBlock)
		require.ErrorIs(t, atomic.AdvisoryLock(t.Context(), s.db, "a", limit(1), limit(2)), atomic.ErrNotInBlock, "which has its turn first")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			err := atomic.AdvisoryLock(ctx, s.db, "a", limit(1), limit(2))
			require.ErrorIs(t, err, atomic.ErrOption)
			require.ErrorContains(t, err, "contradict each other")
			err = atomic.AdvisoryLock(ctx, s.db, "a", nil)
			require.ErrorIs(t, err, atomic.ErrOption)
			require.ErrorContains(t, err, "an option of AdvisoryLock is nil")
			require.Equal(t, errAsked, atomic.AdvisoryLock(ctx, s.db, "a", limit(-1)))
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			return nil
		}))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.ErrorIs(t, atomic.AdvisoryLock(ctx, s.db, "a"), dialect.ErrReadOnly)
			return nil
		}, atomic.ReadOnly()))
		s.sent()
	}, namedLocks)
	for name, set := range map[string]setup{
		"an engine without": {},
		"a server without":  {engine: locking, server: dialect.Server{Engine: dialect.Postgres, Product: "CockroachDB", Version: dialect.Version{Major: 25}}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
					err := atomic.AdvisoryLock(ctx, s.db, "a")
					require.ErrorIs(t, err, dialect.ErrUnsupported)
					return nil
				}))
				s.sent()
			}, set)
		})
	}
}
