package tests

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// orm.Lock locks one loaded row and reads it again.
func TestL01_LockOfOneRow(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		ctx := t.Context()
		stale, err := s.row(1).Related("project").Get(ctx)
		require.NoError(t, err)
		s.arrange("UPDATE audio SET text = 'newer' WHERE id = 1", "DELETE FROM audio WHERE id = 2")
		require.NoError(t, atomic.Do(ctx, s, func(ctx context.Context) error {
			require.NoError(t, orm.Lock(ctx, s.DB, stale))
			assert.Equal(t, "newer", stale.Text)
			assert.NotNil(t, stale.Project, "what is not a column stays")
			assert.True(t, s.isLocked("audio", 1))
			if s.Engine != testdb.SQLite {
				assert.False(t, s.isLocked("audio", 3))
			}
			gone := audioRow(2)
			require.ErrorIs(t, orm.Lock(ctx, s.DB, gone), orm.ErrNotFound)
			assert.False(t, atomic.NeedsRollback(ctx, s), "finding nothing is an answer")
			require.ErrorContains(t, orm.Lock(ctx, s.DB, (*Audio)(nil)), "the row is nil")
			require.ErrorContains(t, orm.Lock(ctx, s.DB, &Audio{}), "key")
			return nil
		}))
		assert.False(t, s.isLocked("audio", 1))

		r := s.rival(holdAudio(1))
		for name, option := range map[string]orm.LockOption{"NoWait": orm.NoWait, "Wait": orm.Wait(time.Second)} {
			before := *stale
			err := atomic.Do(ctx, s, func(ctx context.Context) error { return orm.Lock(ctx, s.DB, stale, option) })
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable, name)
			assert.Equal(t, before, *stale, "%s: the row is as it was", name)
		}
		r.end()
	})
}

// Get with SelectForUpdate locks one row, or says that it is gone.
func TestL01_GetOfOneRow(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		require.NoError(t, atomic.Do(t.Context(), s, func(ctx context.Context) error {
			row, err := s.row(1).SelectForUpdate().Get(ctx)
			require.NoError(t, err)
			assert.EqualValues(t, 1, row.ID)
			assert.True(t, s.isLocked("audio", 1))
			_, err = s.row(99).SelectForUpdate().Get(ctx)
			require.ErrorIs(t, err, orm.ErrNotFound)
			_, err = s.audio().Filter(query.F("project_id").Eq(1)).SelectForUpdate().Get(ctx)
			require.ErrorIs(t, err, orm.ErrMultipleRows)
			first, err := s.audio().SelectForUpdate(orm.NoWait).First(ctx)
			require.NoError(t, err)
			assert.EqualValues(t, 1, first.ID)
			return nil
		}))
		assert.False(t, s.isLocked("audio", 1))
		r := s.rival(holdAudio(1))
		err := atomic.Do(t.Context(), s, func(ctx context.Context) error {
			_, err := s.row(1).SelectForUpdate(orm.NoWait).Get(ctx)
			return err
		})
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		r.end()
	})
}

// arrange sends statements past the library.
func (s *studio) arrange(statements ...string) {
	s.t.Helper()
	(&database{Database: s.Database, t: s.t}).arrange(statements...)
}
