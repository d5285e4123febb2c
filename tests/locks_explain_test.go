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
func (s *studio) told(run func() error) (err error) {
	for range 5 {
		err = run()
		var held *atomic.LockHeldError
		if errors.As(err, &held) && (held.Certain || s.Engine == testdb.MariaDB && held.Holders[0].Table != "") {
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
			_, err = lockedBy(ctx, s, s.row(1).SelectForUpdate(orm.Wait(time.Second)), atomic.ExplainLocks())
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
		_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.NoWait), atomic.ExplainLocks())
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
		victim, survivor := soon(t, "one side", sides), soon(t, "the other side", sides)
		if victim.err == nil {
			victim, survivor = survivor, victim
		}
		require.NoError(t, survivor.err)
		require.ErrorIs(t, victim.err, dialect.ErrDeadlock)
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

// Rows come one by one, and the lock that is not obtained is not the one that was
// waited for at first.
func TestExplainLocks_WhoIsGoneIsNotCertain(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		_, err := s.audio().Update(t.Context(), query.Set("text", strings.Repeat("x", 60000)))
		require.NoError(t, err)
		gone, holder := s.rival(holdAudio(1)), s.rival(holdAudio(4))
		stayed := holder.id(s)
		done := make(chan error, 1)
		go func() {
			done <- atomic.Do(t.Context(), s, func(ctx context.Context) error {
				for _, err := range s.audio().SelectForUpdate(orm.Wait(2 * time.Second)).Iterate(ctx) {
					if err != nil {
						return err
					}
				}
				return nil
			}, atomic.ExplainLocks())
		}()
		s.waits(1)
		gone.end()
		err = soon(t, "the block", done)
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		var held *atomic.LockHeldError
		if s.Engine == testdb.MySQL && !s.Server().RollbackOnTimeout {
			held = explained(t, err) // it knows who has rows of the tables that the block has locked, unless it has ended it
		}
		if held != nil || errors.As(err, &held) {
			assert.True(t, !held.Certain || held.Holders[0].ConnectionID == stayed, err)
		}

		// And what fails at once has not waited, although another lock was waited for.
		if s.Server().Can(dialect.Of) {
			gone := s.rival(holdAudio(2))
			s.rival(holdProject(1))
			go func() {
				_, err := lockedBy(t.Context(), s, s.row(2).Related("project").SelectForUpdate(orm.Of("self")).AlsoLock(orm.NoWait, orm.Of("project")), atomic.ExplainLocks())
				done <- err
			}()
			s.waits(1)
			gone.end()
			err = soon(t, "the block", done)
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			assert.False(t, explained(t, err).Certain)
		}
	}, testdb.Servers()...)
}

// Locks on tables as a whole are in no report of InnoDB's, and its last one may
// be of another day.
func TestExplainLocks_ADeadlockOverMetadata(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		partner, locker := s.rival("INSERT INTO project (id, name) VALUES (100, 'a'), (101, 'b'), (102, 'c')", holdAudio(2)), s.program()
		innocent := partner.id(s)
		session, ctx, err := atomic.OpenSession(t.Context(), s)
		require.NoError(t, err)
		var done func() error
		require.ErrorIs(t, atomic.Do(ctx, s, func(ctx context.Context) error {
			_, err := s.row(3).SelectForUpdate().All(ctx)
			require.NoError(t, err)
			done = partner.start(holdAudio(3))
			s.waits(1)
			_, err = s.row(2).SelectForUpdate().All(ctx)
			return err
		}), dialect.ErrDeadlock)
		require.NoError(t, done())
		partner.end()
		<-time.After(2 * time.Second) // younger than that, the report could be the right one
		err = atomic.Do(ctx, s, func(ctx context.Context) error {
			_, err := orm.Objects[Project](s.DB).All(ctx)
			require.NoError(t, err)
			done = locker.start("LOCK TABLES audio WRITE, project WRITE")
			s.waitsInState("Waiting for table metadata lock")
			_, err = s.row(1).Update(ctx, query.Set("speed", 4))
			return err
		}, atomic.ExplainLocks())
		require.ErrorIs(t, err, dialect.ErrDeadlock)
		var held *atomic.LockHeldError
		if errors.As(err, &held) {
			assert.NotEqual(t, innocent, held.Holders[0].ConnectionID)
		}
		require.NoError(t, done())
		locker.exec("UNLOCK TABLES")
		require.NoError(t, session.Close())
	}, testdb.MySQL, testdb.MariaDB)
}

// Most waits are ended by the ctx of a request.
func TestExplainLocks_ACtxThatEnds(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		r := s.rival(holdAudio(1))
		id := r.id(s)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // time for several looks
		defer cancel()
		_, err := lockedBy(ctx, s, s.row(1).SelectForUpdate(), atomic.ExplainLocks())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		if s.Engine == testdb.MariaDB {
			return // whose view may be of before the wait, if others look at it too
		}
		held := explained(t, err)
		assert.Equal(t, id, held.Holders[0].ConnectionID)
		assert.False(t, held.Certain)

		ended, cancelNow := context.WithCancel(t.Context())
		cancelNow()
		_, err = lockedBy(ended, s, s.row(2).SelectForUpdate(), atomic.ExplainLocks())
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorAs(t, err, &held)
	}, testdb.Servers()...)
}

// A question that nobody has a connection for is no idleness of the block.
func TestExplainLocks_AndIdleTimeout(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		s.rival(holdAudio(1))
		block.Of(s).Database().Pool.SetMaxOpenConns(1)
		require.NoError(t, atomic.Do(t.Context(), s, func(ctx context.Context) error {
			_, err := s.row(2).SelectForUpdate().All(ctx)
			require.NoError(t, err)
			_, err = lockedBy(ctx, s, s.row(1).SelectForUpdate(orm.NoWait), atomic.ExplainLocks())
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			<-time.After(50 * time.Millisecond) // a tenth of the limit
			_, err = s.row(2).Get(ctx)
			return err
		}, atomic.IdleTimeout(500*time.Millisecond)))
	}, testdb.Servers()...)
}
