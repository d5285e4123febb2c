package tests

import (
	"context"
	"errors"
	"math"
	"slices"
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

// The cells of the table of section 4: somebody holds a lock, and this is what
// becomes of somebody else.

// FOR UPDATE is granted when the row is free, keeps others away to the end of
// the block, and waits for a row that somebody else has.
func TestL01_ForUpdate(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		end := s.holding(func(ctx context.Context) error {
			_, err := s.row(1).SelectForUpdate().All(ctx)
			return err
		})
		assert.True(t, s.isLocked("audio", 1))
		if s.Engine != testdb.SQLite {
			assert.False(t, s.isLocked("audio", 2))
		}
		done := make(chan error, 1)
		go func() {
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate())
			done <- err
		}()
		if s.Engine == testdb.SQLite {
			select {
			case err := <-done:
				require.FailNow(t, "it did not wait", "%v", err)
			case <-time.After(50 * time.Millisecond):
			}
		} else {
			s.waits(1)
		}
		require.NoError(t, end())
		require.NoError(t, soon(t, "the waiting block", done))
		assert.False(t, s.isLocked("audio", 1))
	})
}

// NOWAIT is an error at once: 99 of 100 in less than 50 ms, or, on a machine that is
// busy with other things, than five times what 99 of 100 of the same take where nothing
// is locked.
func TestL04_NoWait(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		s.rival(holdAudio(1))
		timed := func(run func()) time.Duration {
			began := time.Now()
			run()
			return time.Since(began)
		}
		refused, free := make([]time.Duration, 100), make([]time.Duration, 100)
		for i := range refused {
			free[i] = timed(func() {
				if s.Engine == testdb.SQLite { // there the lock is on every row
					_, err := s.row(1).All(t.Context())
					require.NoError(t, err)
					return
				}
				_, err := lockedBy(t.Context(), s, s.row(2).SelectForUpdate(orm.NoWait))
				require.NoError(t, err)
			})
			refused[i] = timed(func() {
				_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.NoWait))
				require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			})
		}
		slices.Sort(refused)
		slices.Sort(free)
		assert.Less(t, refused[98], max(50*time.Millisecond, 5*free[98]))
		if s.Engine != testdb.SQLite {
			ids, err := lockedBy(t.Context(), s, s.row(2).SelectForUpdate(orm.NoWait))
			require.NoError(t, err)
			assert.Equal(t, []int64{2}, ids)
		}
	})
}

func TestL04_SkipLocked(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		skipping := s.audio().SelectForUpdate(orm.SkipLocked)
		if !s.Server().Can(dialect.SkipLocked) {
			s.refused(t, dialect.SkipLocked, skipping)
			return
		}
		if s.Engine == testdb.SQLite { // nobody else can hold a lock on a row
			ids, err := lockedBy(t.Context(), s, skipping)
			require.NoError(t, err)
			assert.Equal(t, []int64{1, 2, 3, 4}, ids)
			return
		}
		s.rival(holdAudio(1), holdAudio(3))
		ids, err := lockedBy(t.Context(), s, skipping)
		require.NoError(t, err)
		assert.Equal(t, []int64{2, 4}, ids)

		// With Limit they are looked for further down.
		ids, err = lockedBy(t.Context(), s, skipping.Limit(1))
		require.NoError(t, err)
		assert.Equal(t, []int64{2}, ids)

		err = atomic.Do(t.Context(), s, func(ctx context.Context) error {
			_, err := s.row(1).SelectForUpdate(orm.SkipLocked).Get(ctx)
			require.ErrorIs(t, err, orm.ErrNotFound)
			require.ErrorIs(t, orm.Lock(ctx, s.DB, audioRow(1), orm.SkipLocked), orm.ErrNotFound)
			return nil
		})
		require.NoError(t, err)
	})
}

// Wait(d) gives up after d, as the engine counts it, and within a second more.
// MySQL looks once a second whether a wait has run out, but looks again after
// half of one when others begin to wait, and may so find it only a second and a
// half late: the best of ten rounds counts, as it does on a busy machine.
func TestL04_Wait(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		r := s.rival(holdAudio(1))
		for _, d := range []time.Duration{time.Second, 300 * time.Millisecond} {
			counted := d
			if s.Engine == testdb.MySQL || s.Engine == testdb.MariaDB {
				counted = time.Second
			}
			took := time.Duration(0)
			for range 10 {
				began := time.Now()
				_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.Wait(d)))
				took = time.Since(began)
				require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
				require.GreaterOrEqual(t, took, counted)
				if took < counted+s.tick() {
					break
				}
			}
			assert.Less(t, took, counted+s.tick())
		}
		// A lock that comes free in time is granted.
		done := make(chan error, 1)
		go func() {
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.Wait(patience)))
			done <- err
		}()
		if s.Engine != testdb.SQLite {
			s.waits(1)
		}
		r.end()
		require.NoError(t, soon(t, "the lock", done))
	})
}

// tick is how much later than its limit a wait may end: a second. MariaDB before
// 10.6 looks once a second, and counts whole seconds only.
func (s *studio) tick() time.Duration {
	if s.Engine == testdb.MariaDB && !s.Server().Version.AtLeast(10, 6, 0) {
		return 2500 * time.Millisecond
	}
	return time.Second
}

// A table that somebody waits to alter is waited for within the limit, by who would not
// wait for a row, too.
func TestL04_ATableThatSomebodyAlters(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		alterer := s.program()
		reader := s.rival("SELECT * FROM audio WHERE id = 2") // which ends first, whatever fails
		done := alterer.start("ALTER TABLE audio ADD COLUMN zz INT")
		patient, limit := atomic.Timeout(patience), atomic.LockTimeout(time.Second)
		eventually(t, "the ALTER waits", func() bool {
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(), patient, limit)
			return errors.Is(err, dialect.ErrLockNotAvailable)
		})
		for name, c := range map[string]struct {
			option orm.LockOption
			limit  atomic.Option
		}{
			"Wait":                        {orm.Wait(time.Second), patient},
			"Wait within a longer limit":  {orm.Wait(time.Second), atomic.LockTimeout(time.Hour)},
			"Wait within a shorter limit": {orm.Wait(time.Second), atomic.LockTimeout(time.Millisecond)},
			"NoWait within a limit":       {orm.NoWait, limit},
			"SkipLocked within a limit":   {orm.SkipLocked, limit},
		} {
			if c.option == orm.SkipLocked && !s.Server().Can(dialect.SkipLocked) {
				continue
			}
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(c.option), patient, c.limit)
			assert.ErrorIs(t, err, dialect.ErrLockNotAvailable, name)
		}
		if s.Engine == testdb.MariaDB {
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.NoWait), patient)
			assert.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		}
		reader.end()
		require.NoError(t, done())
	}, testdb.Servers()...)
}

// A limit on waiting costs no round trip of its own, and nobody finds it
// in the session afterwards, however the block ended.
func TestL04_WaitLeavesTheSessionAsItWas(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		block.Of(s).Database().Pool.SetMaxOpenConns(1)
		ctx := t.Context()
		setting := func(ctx context.Context) (value string) {
			q := map[testdb.Engine]string{
				testdb.MySQL: "SELECT @@SESSION.innodb_lock_wait_timeout", testdb.MariaDB: "SELECT @@SESSION.innodb_lock_wait_timeout",
				testdb.Postgres: "SELECT current_setting('lock_timeout')", testdb.SQLite: "PRAGMA busy_timeout",
			}[s.Engine]
			require.NoError(t, s.SQL().QueryRowContext(ctx, q).Scan(&value))
			return value
		}
		before := setting(ctx)
		waiting := s.row(1).SelectForUpdate(orm.Wait(time.Second))
		boom := errors.New("boom")
		ways := map[string]func(ctx context.Context) error{
			"committed": func(ctx context.Context) error { _, err := waiting.All(ctx); return err },
			"committed, more statements": func(ctx context.Context) error {
				_, err := waiting.All(ctx)
				if err == nil && s.Engine != testdb.SQLite {
					_, err = s.row(2).Get(ctx)
					assert.Equal(t, before, setting(ctx), "for the other statements of the block")
				}
				return err
			},
			"an error": func(ctx context.Context) error { _, _ = waiting.All(ctx); return boom },
			"a failed statement": func(ctx context.Context) error {
				_, _ = waiting.All(ctx)
				_, err := s.SQL().ExecContext(ctx, "SELECT nothing FROM nowhere")
				return err
			},
			"a panic": func(ctx context.Context) error { _, _ = waiting.All(ctx); panic(boom) },
			"nested, rolled back": func(ctx context.Context) error {
				_, err := s.row(2).Get(ctx)
				require.ErrorIs(t, atomic.Do(ctx, s, func(ctx context.Context) error { _, _ = waiting.All(ctx); return boom }), boom)
				return err
			},
		}
		for name, way := range ways {
			func() {
				defer func() { _ = recover() }()
				_ = atomic.Do(ctx, s, way)
			}()
			assert.Equal(t, before, setting(ctx), name)
		}
		r := s.rival(holdAudio(1))
		_, err := lockedBy(ctx, s, waiting)
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		assert.Equal(t, before, setting(ctx), "not obtained")
		r.end()

		if s.proxy == nil {
			return
		}
		block := func() {
			require.NoError(t, atomic.Do(ctx, s, func(ctx context.Context) error {
				row, err := waiting.Get(ctx)
				if err == nil {
					row.Text = "new"
					err = orm.Objects[Audio](s.DB).Save(ctx, row)
				}
				return err
			}))
		}
		block()
		assert.Equal(t, 3, s.proxy.During(block).Turns, "round trips: two statements and COMMIT")
	})
}

// A limit that was set for a block that could not begin is taken back, also
// where the connection stays.
func TestL04_WaitLeavesAPinnedSessionAsItWas(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		session, ctx, err := atomic.OpenSession(t.Context(), s)
		require.NoError(t, err)
		defer func() { require.NoError(t, session.Close()) }()
		busy := func() (ms int) {
			require.NoError(t, s.SQL().QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&ms))
			return ms
		}
		before := busy()
		s.rival(holdAudio(1))
		for _, option := range []orm.LockOption{orm.Wait(time.Second), orm.NoWait} {
			_, err := lockedBy(ctx, s, s.row(1).SelectForUpdate(option))
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			assert.Equal(t, before, busy())
		}
	}, testdb.SQLite)
}

// As long as there is, and no overflow.
func TestL04_TheLongestWait(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		locking := func(opts ...orm.LockOption) func(context.Context) error {
			return func(ctx context.Context) error { _, err := s.row(1).SelectForUpdate(opts...).All(ctx); return err }
		}
		advisory := func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s, lockName, orm.Wait(math.MaxInt64)) }
		require.NoError(t, atomic.Do(t.Context(), s, locking(orm.Wait(math.MaxInt64))))
		s.holding(func(ctx context.Context) error {
			return errors.Join(locking()(ctx), atomic.AdvisoryLock(ctx, s, lockName))
		})
		for name, waiting := range map[string]func(ctx context.Context) error{
			"Wait": func(ctx context.Context) error { return atomic.Do(ctx, s, locking(orm.Wait(math.MaxInt64))) },
			"LockTimeout": func(ctx context.Context) error {
				return atomic.Do(ctx, s, locking(), atomic.LockTimeout(math.MaxInt64))
			},
			"AdvisoryLock": func(ctx context.Context) error { return atomic.Do(ctx, s, advisory) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			require.ErrorIs(t, waiting(ctx), context.DeadlineExceeded, name)
			cancel()
		}
	})
}

// Of two clauses the stricter one bounds the wait where there is only one lock.
func TestL04_TheStricterClause(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		s.rival(holdAudio(1))
		q := s.row(1).Related("project")
		for _, q := range []orm.QuerySet[Audio]{
			q.SelectForUpdate(orm.Wait(patience), orm.Of("self")).AlsoLock(orm.NoWait, orm.Of("project")),
			q.SelectForUpdate(orm.NoWait, orm.Of("project")).AlsoLock(orm.Wait(patience), orm.Of("self")),
		} {
			began := time.Now()
			_, err := lockedBy(t.Context(), s, q)
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			assert.Less(t, time.Since(began), patience/2)
		}
	}, testdb.SQLite)
}
