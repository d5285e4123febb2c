package tests

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// With a join, exactly the rows of the named tables are locked. Audio row 1 is
// of project 1.
func TestL01_OfLocksTheNamedTables(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		joined := s.row(1).Related("project")
		for name, c := range map[string]struct {
			options        []orm.LockOption
			audio, project bool
		}{
			"without":        {nil, true, true},
			"self":           {[]orm.LockOption{orm.Of("self")}, true, false},
			"a relation":     {[]orm.LockOption{orm.Of("project")}, false, true},
			"both":           {[]orm.LockOption{orm.Of("self", "project")}, true, true},
			"both, two of's": {[]orm.LockOption{orm.Of("self"), orm.Of("project")}, true, true},
		} {
			q := joined.SelectForUpdate(c.options...)
			if len(c.options) > 0 && !s.Server().Can(dialect.Of) {
				s.refused(t, dialect.Of, q)
				continue
			}
			require.NoError(t, atomic.Do(t.Context(), s, func(ctx context.Context) error {
				row, err := q.Get(ctx)
				require.NoError(t, err)
				require.Equal(t, "Radio", row.Project.Name)
				if s.Engine == testdb.SQLite { // the block has the write lock
					assert.True(t, s.isLocked("audio", 1))
					return nil
				}
				assert.Equal(t, c.audio, s.isLocked("audio", 1), "%s: audio 1", name)
				assert.Equal(t, c.project, s.isLocked("project", 1), "%s: project 1", name)
				assert.False(t, s.isLocked("audio", 3), "%s: audio 3", name)
				assert.False(t, s.isLocked("project", 2), "%s: project 2", name)
				return nil
			}))
		}
	})
}

// "Leave out the audio rows that are locked, but fail at once when their project
// is" is one query, and each clause acts on its own table.
func TestL05_AlsoLock(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		q := s.audio().Filter(query.F("id").In(1, 2)).Related("project").
			SelectForUpdate(orm.SkipLocked, orm.Of("self")).AlsoLock(orm.NoWait, orm.Of("project"))
		if !s.Server().Can(dialect.Of) {
			s.refused(t, dialect.Of, q)
			return
		}
		ids, err := lockedBy(t.Context(), s, q)
		require.NoError(t, err)
		assert.Equal(t, []int64{1, 2}, ids)
		if s.Engine == testdb.SQLite {
			s.rival(holdAudio(1))
			_, err := lockedBy(t.Context(), s, q)
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable, "NoWait of either clause")
			return
		}
		require.NoError(t, atomic.Do(t.Context(), s, func(ctx context.Context) error {
			_, err := q.All(ctx)
			assert.True(t, s.isLocked("audio", 1))
			assert.True(t, s.isLocked("project", 1))
			return err
		}))
		r := s.rival(holdAudio(1))
		ids, err = lockedBy(t.Context(), s, q)
		require.NoError(t, err)
		assert.Equal(t, []int64{2}, ids, "the audio row is left out")
		r.end()

		s.rival(holdProject(1))
		_, err = lockedBy(t.Context(), s, q)
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable, "the project fails")

		// The other way round.
		_, err = lockedBy(t.Context(), s, s.audio().Filter(query.F("id").In(1, 2, 3)).Related("project").
			SelectForUpdate(orm.NoWait, orm.Of("self")).AlsoLock(orm.SkipLocked, orm.Of("project")))
		require.NoError(t, err)
	})
}

func TestL05_TheSecondSelectForUpdateReplacesTheFirst(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		if !s.Server().Can(dialect.SkipLocked) {
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.SkipLocked).SelectForUpdate(orm.NoWait))
			require.NoError(t, err, "what was replaced is not asked for")
			return
		}
		if s.Engine != testdb.SQLite {
			s.rival(holdAudio(1))
		}
		ids, err := lockedBy(t.Context(), s, s.audio().SelectForUpdate(orm.NoWait, orm.Share).SelectForUpdate(orm.SkipLocked))
		require.NoError(t, err)
		if s.Engine != testdb.SQLite {
			assert.Equal(t, []int64{2, 3, 4}, ids)
		}
	})
}

type shelf struct {
	bun.BaseModel `bun:"table:hf_library.shelf"`
	ID            int64 `bun:",pk"`
	UpID          int64
	Shelf         *shelf `bun:"rel:belongs-to,join:up_id=id"`
}

// In a statement a table goes by its name without the schema, also where a
// relation has that name.
func TestL01_ATableWithASchema(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		s := openStudio(t, testdb.NewServer(t, at.Engine).New(t)) // where nobody else has this schema
		kind := map[bool]string{true: "SCHEMA", false: "DATABASE"}[s.Engine == testdb.Postgres]
		s.arrange("CREATE "+kind+" hf_library", "CREATE TABLE hf_library.shelf (id bigint primary key, up_id bigint)", "INSERT INTO hf_library.shelf VALUES (1, 1), (2, 1)")
		q := orm.Objects[shelf](s.DB).Filter(query.F("shelf.id").Eq(1)).OrderBy("id").Related("shelf")
		for _, q := range []orm.QuerySet[shelf]{q.SelectForUpdate(), q.SelectForUpdate(orm.Of("self"))} {
			require.NoError(t, atomic.Do(t.Context(), s, func(ctx context.Context) error {
				rows, err := q.All(ctx)
				if !s.Server().Can(dialect.Of) && errors.Is(err, dialect.ErrUnsupported) {
					return nil
				}
				assert.Len(t, rows, 2)
				return err
			}))
		}
	}, testdb.Servers()...)
}
