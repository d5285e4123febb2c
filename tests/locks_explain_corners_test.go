package tests

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
				for _, err := range s.audio().SelectForUpdate(orm.Wait(10 * time.Second)).Iterate(ctx) {
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
			s.rival(holdProject(1))
			err = again(func(err error) bool { return errors.As(err, new(*atomic.LockHeldError)) }, func() error {
				gone := s.rival(holdAudio(2))
				go func() {
					_, err := lockedBy(t.Context(), s, s.row(2).Related("project").SelectForUpdate(orm.Of("self")).AlsoLock(orm.NoWait, orm.Of("project")), atomic.ExplainLocks())
					done <- err
				}()
				s.waits(1)
				gone.end()
				return soon(t, "the block", done)
			})
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
		err := again(func(err error) bool {
			_, told := errors.AsType[*atomic.LockHeldError](err)
			return told || s.Engine == testdb.MariaDB // whose view may be of before the wait, if others look at it too
		}, func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // time for several looks
			defer cancel()
			_, err := lockedBy(ctx, s, s.row(1).SelectForUpdate(), atomic.ExplainLocks())
			return err
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		if s.Engine == testdb.MariaDB {
			return
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
		// The question is given up after a second. Again, since a busy machine may be idle for longer.
		require.NoError(t, again(func(err error) bool { return err == nil }, func() error {
			return atomic.Do(t.Context(), s, func(ctx context.Context) error {
				if _, err := s.row(2).SelectForUpdate().All(ctx); err != nil {
					return err
				}
				if _, err := lockedBy(ctx, s, s.row(1).SelectForUpdate(orm.NoWait), atomic.ExplainLocks()); !errors.Is(err, dialect.ErrLockNotAvailable) {
					return fmt.Errorf("the lock was not refused: %w", err)
				}
				<-time.After(50 * time.Millisecond)
				_, err := s.row(2).Get(ctx)
				return err
			}, atomic.IdleTimeout(700*time.Millisecond))
		}))
	}, testdb.Servers()...)
}
