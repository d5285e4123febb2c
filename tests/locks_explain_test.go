package tests

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// holder has a block lock row 1, and returns the number of its connection.
func (s *studio) holder() (id int64, end func() error) {
	s.t.Helper()
	end = s.holding(func(ctx context.Context) (err error) {
		if id, err = connectionID(ctx, s); err != nil {
			return err
		}
		_, err = s.row(1).Update(ctx, query.Set("text", secretText))
		return err
	}, atomic.Name("importer"))
	return id, end
}

// explained is the LockHeldError in err.
func explained(t *testing.T, err error) *atomic.LockHeldError {
	t.Helper()
	var held *atomic.LockHeldError
	require.ErrorAs(t, err, &held)
	return held
}

// told runs a block that is refused a lock, again if its error does not say all that the
// server can tell: on a busy machine a look can come too late, and says nothing.
func (s *studio) told(run func() error) error {
	return again(func(err error) bool {
		var held *atomic.LockHeldError
		return errors.As(err, &held) && (held.Certain || s.Engine == testdb.MariaDB && held.Holders[0].Table != "")
	}, run)
}

// again runs what is refused a lock until its error says enough, five times at most, or
// for a minute.
func again(enough func(error) bool, run func() error) (err error) {
	end := time.Now().Add(time.Minute)
	for n := 0; n < 5 || time.Now().Before(end); n++ {
		if err = run(); enough(err) {
			break
		}
	}
	return err
}

// holders are the connections of those who held a lock.
func holders(held *atomic.LockHeldError) (ids []int64) {
	for _, h := range held.Holders {
		ids = append(ids, h.ConnectionID)
	}
	return ids
}

// heldBy requires that err says who held the lock.
func heldBy(t *testing.T, s *studio, err error, id int64) *atomic.LockHeldError {
	t.Helper()
	held := explained(t, err)
	require.Contains(t, holders(held), id)
	assert.NotContains(t, err.Error(), secretText)
	if held.Certain {
		assert.Equal(t, id, held.Holders[0].ConnectionID)
	}
	if s.remembers() {
		assert.Contains(t, err.Error(), `block "importer"`)
	}
	return held
}

func TestExplainLocks_AWait(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		id, end := s.holder()
		for name, option := range map[string][]orm.LockOption{"wait": {orm.Wait(time.Second)}, "lock timeout": nil} {
			err := s.told(func() error {
				_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(option...), atomic.ExplainLocks(), atomic.LockTimeout(time.Second), atomic.Name("mine"))
				return err
			})
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable, name)
			held := heldBy(t, s, err, id)
			assert.Equal(t, s.Engine != testdb.MariaDB, held.Certain)
			require.Len(t, held.Holders, 1)
			assert.Equal(t, "audio", held.Holders[0].Table)
			assert.Positive(t, held.Holders[0].Age)
			assert.False(t, held.Holders[0].Waits)
			var e *dialect.Error
			require.ErrorAs(t, err, &e)
			var failed *atomic.FailedError
			require.ErrorAs(t, err, &failed)

			_, err = lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.Wait(time.Second)))
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			require.NotErrorAs(t, err, new(*atomic.LockHeldError), "nobody has asked")
		}
		// A nested block asks for itself, and the outer one goes on.
		err := atomic.Do(t.Context(), s, func(ctx context.Context) error {
			_, err := s.row(2).SelectForUpdate().All(ctx)
			require.NoError(t, err)
			_, err = lockedBy(ctx, s, s.row(1).SelectForUpdate(orm.Wait(5*time.Second)), atomic.ExplainLocks())
			_ = heldBy(t, s, err, id)
			return orm.Lock(ctx, s.DB, audioRow(3))
		})
		if s.Server().RollbackOnTimeout {
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		} else {
			require.NoError(t, err)
		}
		require.NoError(t, end())
	}, testdb.Servers()...)
}

// MariaDB says of two who have shared locks that it is one of them.
func TestExplainLocks_ASharedLock(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		share := func(id int) func(ctx context.Context) error {
			return func(ctx context.Context) error { _, err := s.row(id).SelectForUpdate(orm.Share).All(ctx); return err }
		}
		holder, endHolder := s.numbered(share(1))
		_, endOther := s.numbered(share(2))
		err := s.told(func() error {
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.Wait(time.Second)), atomic.ExplainLocks())
			return err
		})
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		held := explained(t, err)
		assert.Contains(t, holders(held), holder)
		assert.Equal(t, s.Engine != testdb.MariaDB, held.Certain)
		assert.Equal(t, s.Engine == testdb.MariaDB, strings.Contains(err.Error(), "held by somebody, perhaps"), err)
		require.NoError(t, errors.Join(endHolder(), endOther()))
	}, testdb.Servers()...)
}

func TestExplainLocks_NoWait(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		id, end := s.holder()
		err := again(func(err error) bool { return errors.As(err, new(*atomic.LockHeldError)) }, func() error {
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.NoWait), atomic.ExplainLocks())
			return err
		})
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		held := heldBy(t, s, err, id)
		assert.False(t, held.Certain)
		assert.Contains(t, err.Error(), "perhaps")
		require.NoError(t, end())
	}, testdb.Servers()...)
}

func TestExplainLocks_AnAdvisoryLock(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		var id int64
		end := s.holding(func(ctx context.Context) (err error) {
			if id, err = connectionID(ctx, s); err != nil {
				return err
			}
			return atomic.AdvisoryLock(ctx, s, "nightly")
		}, atomic.Name("importer"))
		for _, option := range []atomic.WaitOption{orm.NoWait, orm.Wait(time.Second)} {
			err := s.told(func() error {
				return atomic.Do(t.Context(), s, func(ctx context.Context) error {
					return atomic.AdvisoryLock(ctx, s, "nightly", option)
				}, atomic.ExplainLocks())
			})
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			assert.True(t, heldBy(t, s, err, id).Certain)
		}
		require.NoError(t, end())
	}, testdb.Servers()...)
}

// Two blocks lock two rows in opposite order.
func TestExplainLocks_ADeadlock(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		type side struct {
			id  int64
			err error
		}
		var victim, survivor side
		_ = again(func(err error) bool { held := new(atomic.LockHeldError); return errors.As(err, &held) && held.Certain }, func() error {
			sides := make(chan side, 2)
			var both sync.WaitGroup // have locked their first row
			both.Add(2)
			told := make(chan struct{}) // the victim has been told who it was
			var once sync.Once
			for i, name := range []string{"importer", "exporter"} {
				go func() {
					var me side
					me.err = atomic.Do(t.Context(), s, func(ctx context.Context) (err error) {
						if me.id, err = connectionID(ctx, s); err != nil {
							return err
						}
						if _, err := s.row(1+i).Update(ctx, query.Set("text", secretText)); err != nil {
							return err
						}
						both.Done()
						both.Wait()
						if _, err = s.row(2-i).Update(ctx, query.Set("text", secretText)); err == nil {
							<-told // as long as this block is there, its name is
						}
						return err
					}, atomic.Name(name), atomic.ExplainLocks())
					if me.err != nil {
						once.Do(func() { close(told) })
					}
					sides <- me
				}()
			}
			victim, survivor = soon(t, "one side", sides), soon(t, "the other side", sides)
			if victim.err == nil {
				victim, survivor = survivor, victim
			}
			require.NoError(t, survivor.err)
			require.ErrorIs(t, victim.err, dialect.ErrDeadlock)
			return victim.err
		})
		var held *atomic.LockHeldError
		require.ErrorAs(t, victim.err, &held)
		assert.True(t, held.Certain)
		require.Equal(t, survivor.id, held.Holders[0].ConnectionID)
		assert.NotContains(t, victim.err.Error(), secretText)
		assert.Contains(t, victim.err.Error(), "UPDATE")
		assert.True(t, strings.Contains(victim.err.Error(), `block "importer" (connection`) || strings.Contains(victim.err.Error(), `block "exporter" (connection`), "%v", victim.err)
	}, testdb.Servers()...)
}

// Where nobody can be asked the block fares as without the option: one
// connection in the pool, a server that does not know, and no wait at all.
func TestExplainLocks_ChangesNothing(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		pool := block.Of(s).Database().Pool
		work := func() error {
			return atomic.Do(t.Context(), s, func(ctx context.Context) error {
				rows, err := s.row(2).SelectForUpdate().All(ctx)
				if err == nil {
					rows[0].Text = "new"
					err = orm.Objects[Audio](s.DB).Save(ctx, rows[0])
				}
				return err
			}, atomic.ExplainLocks())
		}
		pool.SetMaxOpenConns(1)
		require.NoError(t, work())
		if s.proxy != nil {
			require.Equal(t, 3, s.proxy.During(func() { require.NoError(t, work()) }).Turns)
		}
		r := s.rival(holdAudio(1))
		_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.Wait(time.Second)), atomic.ExplainLocks())
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		require.NotErrorAs(t, err, new(*atomic.LockHeldError))
		pool.SetMaxOpenConns(0)

		// A wait that is granted after it was watched for a while.
		done := make(chan error, 1)
		go func() {
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(), atomic.ExplainLocks())
			done <- err
		}()
		if s.Engine != testdb.SQLite {
			s.waits(1)
		}
		r.end()
		require.NoError(t, soon(t, "the block", done))

		// A panic among the rows takes the watch with it.
		boom := errors.New("boom")
		func() {
			defer func() { require.Equal(t, boom, recover()) }()
			_ = atomic.Do(t.Context(), s, func(ctx context.Context) error {
				for _, err := range s.audio().SelectForUpdate().Iterate(ctx) {
					require.NoError(t, err)
					panic(boom)
				}
				return nil
			}, atomic.ExplainLocks())
		}()
		_, err = lockedBy(t.Context(), s, s.audio().SelectForUpdate(), atomic.ExplainLocks())
		require.NoError(t, err)
	})
}
