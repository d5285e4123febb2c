package tests

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

const lockName = "nightly: export 'all' \\ of ü"

func (s *studio) take(ctx context.Context, name string, opts ...atomic.WaitOption) error {
	return atomic.Do(ctx, s, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s, name, opts...) })
}

func TestAdvisoryLock_KeepsOthersAway(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		ctx := t.Context()
		end := s.holding(func(ctx context.Context) error {
			if err := atomic.AdvisoryLock(ctx, s, lockName); err != nil {
				return err
			}
			return atomic.AdvisoryLock(ctx, s, lockName, orm.NoWait) // twice is granted
		})
		// Until one is short enough: a busy machine makes some of them late, a wait all.
		refused := func(enough time.Duration, opts ...atomic.WaitOption) time.Duration {
			shortest := patience
			for n := 0; n < 10 && shortest >= enough; n++ {
				began := time.Now()
				require.ErrorIs(t, s.take(ctx, lockName, opts...), dialect.ErrLockNotAvailable)
				shortest = min(shortest, time.Since(began))
			}
			return shortest
		}
		assert.Less(t, refused(time.Second, orm.NoWait), time.Second)
		took := refused(2*time.Second, orm.Wait(time.Second))
		assert.GreaterOrEqual(t, took, time.Second)
		assert.Less(t, took, 2*time.Second)

		began := time.Now()
		err := atomic.Do(ctx, s, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s, lockName) }, atomic.LockTimeout(time.Second))
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		assert.GreaterOrEqual(t, time.Since(began), time.Second, "the block's LockTimeout")

		if s.Engine != testdb.SQLite { // whose one lock is every name's
			require.NoError(t, s.take(ctx, "another", orm.NoWait))
			require.NoError(t, s.take(ctx, lockName+"X", orm.NoWait))

			// Going on without the lock, in a nested block.
			require.NoError(t, atomic.Do(ctx, s, func(ctx context.Context) error {
				_, err := s.row(1).Get(ctx)
				require.NoError(t, err)
				require.ErrorIs(t, s.take(ctx, lockName, orm.NoWait), dialect.ErrLockNotAvailable)
				return orm.Lock(ctx, s.DB, audioRow(1))
			}))
		}
		done := make(chan error, 1)
		go func() { done <- s.take(ctx, lockName) }()
		select {
		case err := <-done:
			require.FailNow(t, "it did not wait", "%v", err)
		case <-time.After(50 * time.Millisecond):
		}
		require.NoError(t, end())
		require.NoError(t, soon(t, "the lock", done))
	})
}

// It is given back on every way out of the block.
func TestAdvisoryLock_IsReleased(t *testing.T) {
	boom := errors.New("boom")
	ways := map[string]func(ctx context.Context, s *studio) error{
		"return":   func(context.Context, *studio) error { return nil },
		"rollback": func(context.Context, *studio) error { return atomic.Rollback },
		"error":    func(context.Context, *studio) error { return boom },
		"panic":    func(context.Context, *studio) error { panic(boom) },
		"Goexit":   func(context.Context, *studio) error { runtime.Goexit(); return nil },
		"failed statement": func(ctx context.Context, s *studio) error {
			_, err := s.SQL().ExecContext(ctx, "SELECT nothing FROM nowhere")
			return err
		},
		"failed statement, swallowed": func(ctx context.Context, s *studio) error {
			_, _ = s.SQL().ExecContext(ctx, "SELECT nothing FROM nowhere")
			return nil
		},
		"killed connection": func(ctx context.Context, s *studio) error {
			if s.Engine == testdb.SQLite {
				return nil
			}
			id, err := connectionID(ctx, s)
			if err == nil {
				(&database{Database: s.Database, t: s.t}).kill(id)
				_, err = s.row(1).Get(ctx)
			}
			return err
		},
		"cancelled ctx": func(ctx context.Context, s *studio) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			_, err := s.row(1).Get(ctx)
			return err
		},
	}
	eachStudio(t, func(t *testing.T, s *studio) {
		for name, way := range ways {
			for _, nested := range []bool{false, true} {
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { _ = recover() }()
					_ = atomic.Do(t.Context(), s, func(ctx context.Context) error {
						locked := func(ctx context.Context) error {
							assert.NoError(t, atomic.AdvisoryLock(ctx, s, lockName, orm.Wait(patience)))
							return way(ctx, s)
						}
						if nested {
							return atomic.Do(ctx, s, locked)
						}
						return locked(ctx)
					})
				}()
				soon(t, name, done)
				s.isFree(name)
			}
		}
		// A nested block is rolled back, and the outer one ends well.
		require.NoError(t, atomic.Do(t.Context(), s, func(ctx context.Context) error {
			_, err := s.row(1).Get(ctx)
			require.NoError(t, err)
			require.ErrorIs(t, atomic.Do(ctx, s, func(ctx context.Context) error {
				require.NoError(t, atomic.AdvisoryLock(ctx, s, lockName, orm.NoWait))
				return boom
			}), boom)
			return atomic.AdvisoryLock(ctx, s, lockName, orm.NoWait)
		}))
		s.isFree("a nested rollback")

		// With a pool of one, the next block gets the same connection.
		block.Of(s).Database().Pool.SetMaxOpenConns(1)
		require.NoError(t, s.take(t.Context(), lockName, orm.NoWait))
		if s.Engine == testdb.MySQL || s.Engine == testdb.MariaDB {
			var held int
			require.NoError(t, s.SQL().QueryRowContext(t.Context(), "SELECT RELEASE_ALL_LOCKS()").Scan(&held))
			assert.Zero(t, held)
		}
	})
}

// isFree requires that another connection gets the lock. A server takes a moment
// to notice that a connection was cut.
func (s *studio) isFree(after string) {
	s.t.Helper()
	eventually(s.t, "the lock is free after "+after, func() bool {
		err := s.take(s.t.Context(), lockName, orm.NoWait)
		if err != nil {
			require.ErrorIs(s.t, err, dialect.ErrLockNotAvailable, after)
		}
		return err == nil
	})
}

// Locks that a caller took without Holdfast are the caller's.
func TestAdvisoryLock_BesideGetLock(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		held := func(ctx context.Context) (held bool) {
			require.NoError(t, s.SQL().QueryRowContext(ctx, "SELECT COALESCE(IS_USED_LOCK('mine'), 0) <> 0").Scan(&held))
			return held
		}
		session, ctx, err := atomic.OpenSession(t.Context(), s)
		require.NoError(t, err)
		var got int
		require.NoError(t, s.SQL().QueryRowContext(ctx, "SELECT GET_LOCK('mine', 0)").Scan(&got))
		for range 2 {
			require.NoError(t, atomic.Do(ctx, s, func(ctx context.Context) error {
				return errors.Join(atomic.AdvisoryLock(ctx, s, lockName), atomic.AdvisoryLock(ctx, s, "another"), atomic.AdvisoryLock(ctx, s, lockName))
			}))
			s.isFree("the block")
			require.NoError(t, s.take(t.Context(), "another", orm.NoWait))
			require.True(t, held(t.Context()))
		}
		// Whoever is interrupted while waiting, or is the victim of a deadlock, has
		// obtained nothing that could be given back.
		id, err := connectionID(ctx, s)
		require.NoError(t, err)
		end := s.holding(func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s, "two") })
		done := make(chan error, 1)
		go func() { done <- s.take(ctx, "two") }()
		s.waitsInState("User lock")
		s.arrange(fmt.Sprintf("KILL QUERY %d", id))
		err = soon(t, "the statement that is killed", done)
		require.Error(t, err)
		require.NotErrorIs(t, err, dialect.ErrLockNotAvailable)
		require.True(t, held(t.Context()))
		require.NoError(t, end())

		mine, theirs := make(chan struct{}), make(chan struct{})
		both := func(ctx context.Context, first, second string, between func()) error {
			return atomic.Do(ctx, s, func(ctx context.Context) error {
				if err := atomic.AdvisoryLock(ctx, s, first); err != nil {
					return err
				}
				between()
				return atomic.AdvisoryLock(ctx, s, second)
			})
		}
		go func() { done <- both(t.Context(), "two", "one", func() { close(theirs); <-mine }) }()
		err = both(ctx, "one", "two", func() { <-theirs; close(mine) })
		require.ErrorIs(t, errors.Join(err, soon(t, "the other side", done)), dialect.ErrDeadlock)
		require.True(t, held(t.Context()))

		// In another database the name of the lock would be another one.
		require.NoError(t, atomic.Do(ctx, s, func(ctx context.Context) error {
			if err := atomic.AdvisoryLock(ctx, s, lockName); err != nil {
				return err
			}
			_, err := s.SQL().ExecContext(ctx, "USE information_schema")
			return err
		}))
		s.isFree("a block that has left the database")
		require.NoError(t, session.Close())
	}, testdb.MySQL, testdb.MariaDB)
}

// A name is a database's own: the same in another one is another lock.
func TestAdvisoryLock_OfAnotherDatabase(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		other := openStudio(t, testdb.New(t, s.Engine))
		end := s.holding(func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s, lockName) })
		require.NoError(t, other.take(t.Context(), lockName, orm.NoWait))
		require.NoError(t, end())
	})
}
