package tests

import (
	"context"
	"strings"
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

// What cannot be meant is an error of the library's on every engine, and
// nothing is sent.
func TestL06_Misuse(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		all := s.audio()
		type misuse struct {
			kind error // nil: a *query.FieldError
			run  func(ctx context.Context) error
		}
		read := func(q orm.QuerySet[Audio]) func(context.Context) error {
			return func(ctx context.Context) error { _, err := q.All(ctx); return err }
		}
		cases := map[string]misuse{
			"L1 SkipLocked with NoWait":   {orm.ErrLockOptions, read(all.SelectForUpdate(orm.SkipLocked, orm.NoWait))},
			"L1 Wait with NoWait":         {orm.ErrLockOptions, read(all.SelectForUpdate(orm.Wait(time.Second), orm.NoWait))},
			"L1 two limits":               {orm.ErrLockOptions, read(all.SelectForUpdate(orm.Wait(1), orm.Wait(2)))},
			"L1 a negative limit":         {orm.ErrLockOptions, read(all.SelectForUpdate(orm.Wait(-1)))},
			"L1 Share with NoKey":         {orm.ErrLockOptions, read(all.SelectForUpdate(orm.Share, orm.NoKey))},
			"L1 Of nothing":               {orm.ErrLockOptions, read(all.SelectForUpdate(orm.Of()))},
			"L5 AlsoLock alone":           {orm.ErrLockOptions, read(all.AlsoLock(orm.NoWait, orm.Of("self")))},
			"L5 AlsoLock without Of":      {orm.ErrLockOptions, read(all.SelectForUpdate(orm.Of("self")).AlsoLock(orm.NoWait))},
			"L5 one table in two clauses": {orm.ErrLockOptions, read(all.SelectForUpdate(orm.Of("self")).AlsoLock(orm.NoWait, orm.Of("self")))},
			"S2 Of an unknown relation":   {nil, read(all.Related("project").SelectForUpdate(orm.Of("projects")))},
			"S2 Of a relation not joined": {nil, read(all.SelectForUpdate(orm.Of("project")))},
			"S2 Of an injection":          {nil, read(all.Related("project").SelectForUpdate(orm.Of("project; DROP TABLE audio")))},
			"L6 Distinct":                 {orm.ErrLockOptions, read(all.Distinct().SelectForUpdate())},
			"L6 Distinct, whether there is one": {orm.ErrLockOptions, func(ctx context.Context) error {
				_, err := all.Distinct().SelectForUpdate().Exists(ctx)
				return err
			}},
			"L6 an UPDATE that locks anyway": {orm.ErrLockOptions, func(ctx context.Context) error {
				_, err := all.SelectForUpdate().Update(ctx, query.Set("speed", 2))
				return err
			}},
			"L6 a DELETE that locks anyway": {orm.ErrLockOptions, func(ctx context.Context) error {
				_, err := all.SelectForUpdate().Delete(ctx)
				return err
			}},
			"L6 Save":                        {orm.ErrLockOptions, func(ctx context.Context) error { return all.SelectForUpdate().Save(ctx, audioRow(1)) }},
			"L6 Distinct, afterwards":        {orm.ErrLockOptions, read(all.SelectForUpdate().Distinct())},
			"L6 the nullable side of a join": {orm.ErrLockOptions, read(all.Related("project.owner").SelectForUpdate())},
			"L6 Of the nullable side":        {orm.ErrLockOptions, read(all.Related("project.owner").SelectForUpdate(orm.Of("project.owner")))},
			"L6 a nullable side in Filter":   {orm.ErrLockOptions, read(all.Filter(query.F("project.owner.name").Eq("Ada")).SelectForUpdate())},
			"L6 Count":                       {orm.ErrLockOptions, func(ctx context.Context) error { _, err := all.SelectForUpdate().Count(ctx); return err }},
			"L6 an aggregate": {orm.ErrLockOptions, func(ctx context.Context) error {
				_, err := orm.Aggregate[float64](ctx, all.SelectForUpdate(), query.Avg(query.F("speed")))
				return err
			}},
			"orm.Lock with contradictions": {orm.ErrLockOptions, func(ctx context.Context) error { return orm.Lock(ctx, s.DB, audioRow(1), orm.SkipLocked, orm.NoWait) }},
			"AdvisoryLock with SkipLocked": {orm.ErrLockOptions, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s, "name", orm.SkipLocked) }},
			"AdvisoryLock, contradictions": {atomic.ErrOption, func(ctx context.Context) error {
				return atomic.AdvisoryLock(ctx, s, "name", orm.NoWait, orm.Wait(time.Second))
			}},
			"AdvisoryLock with nil":          {atomic.ErrOption, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s, "name", nil) }},
			"AdvisoryLock, a negative limit": {orm.ErrLockOptions, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s, "name", orm.Wait(-1)) }},
		}
		for name, m := range cases {
			s.quiet(name, func() {
				err := atomic.Do(t.Context(), s, func(ctx context.Context) error {
					err := m.run(ctx)
					require.Error(t, err, name)
					assert.False(t, atomic.NeedsRollback(ctx, s), "%s: nothing has failed on the server", name)
					return err
				})
				if m.kind == nil {
					var fe *query.FieldError
					require.ErrorAs(t, err, &fe, name)
					assert.Contains(t, fe.Choices, "self", name)
				} else {
					require.ErrorIs(t, err, m.kind, name)
				}
			})
		}
	})
}

// L2: outside a block a lock would be gone before anybody could use it.
func TestL02_OutsideABlock(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		q := s.row(1).SelectForUpdate()
		require.NoError(t, q.Err(), "building it is fine")
		ctx := t.Context()
		s.quiet("outside a block", func() {
			_, err := q.All(ctx)
			require.ErrorIs(t, err, atomic.ErrNotInBlock)
			_, err = q.Get(ctx)
			require.ErrorIs(t, err, atomic.ErrNotInBlock)
			_, err = q.Exists(ctx)
			require.ErrorIs(t, err, atomic.ErrNotInBlock)
			for _, err := range q.Iterate(ctx) {
				require.ErrorIs(t, err, atomic.ErrNotInBlock)
			}
			require.ErrorIs(t, orm.Lock(ctx, s.DB, audioRow(1)), atomic.ErrNotInBlock)
			require.ErrorIs(t, atomic.AdvisoryLock(ctx, s, "name"), atomic.ErrNotInBlock)
		})
	})
}

func TestL02_InAReadOnlyBlock(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		s.quiet("in a read-only block", func() {
			for _, run := range []func(ctx context.Context) error{
				func(ctx context.Context) error { _, err := s.row(1).SelectForUpdate(orm.NoWait).Get(ctx); return err },
				func(ctx context.Context) error { return orm.Lock(ctx, s.DB, audioRow(1)) },
				func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, s, "name") },
			} {
				err := atomic.Do(t.Context(), s, run, atomic.ReadOnly())
				require.ErrorIs(t, err, dialect.ErrReadOnly)
				require.ErrorContains(t, err, "ReadOnly")
			}
		})
	})
}

// L3: what a server cannot do names the engine, its version and the option.
func TestL03_Unsupported(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		for c, option := range map[dialect.Capability]orm.LockOption{
			dialect.SkipLocked: orm.SkipLocked, dialect.NoWait: orm.NoWait, dialect.Of: orm.Of("self"),
			dialect.ForShare: orm.Share, dialect.NoKeyUpdate: orm.NoKey, dialect.KeyShare: orm.KeyShare,
		} {
			q := s.row(1).SelectForUpdate(option)
			if s.Server().Can(c) {
				_, err := lockedBy(t.Context(), s, q)
				require.NoError(t, err, c)
			} else {
				s.refused(t, c, q)
			}
		}
	})
}

func TestL01_TheClaimOfTheExample(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		claim := orm.Objects[Audio](s.DB).Filter(query.F("is_audio_required").Eq(true)).OrderBy("updated_at").Limit(10).SelectForUpdate(orm.SkipLocked)
		if !s.Server().Can(dialect.SkipLocked) {
			s.refused(t, dialect.SkipLocked, claim)
			return
		}
		text, values, err := claim.SQL(t.Context())
		require.NoError(t, err)
		if s.Engine == testdb.MySQL {
			assert.Equal(t, "SELECT `audio`.`id`, `audio`.`created_at`, `audio`.`updated_at`, `audio`.`project_id`, `audio`.`user_id`, "+
				"`audio`.`index`, `audio`.`text`, `audio`.`speed`, `audio`.`path`, `audio`.`is_audio_required` FROM `audio` "+
				"WHERE `audio`.`is_audio_required` = ? ORDER BY `audio`.`updated_at` ASC LIMIT ? FOR UPDATE SKIP LOCKED", text)
		}
		require.Len(t, values, 2)
		assert.Equal(t, true, values[0])
		assert.EqualValues(t, 10, values[1])

		plan, err := claim.Explain(t.Context())
		require.NoError(t, err, "outside a block: it locks nothing")
		assert.Contains(t, plan, "audio")
		assert.False(t, s.isLocked("audio", 1))
	})
}

// The remedy that an error names is one that the server has.
func TestL06_TheRemedy(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		_, err := lockedBy(t.Context(), s, s.row(1).Related("project.owner").SelectForUpdate())
		require.ErrorIs(t, err, orm.ErrLockOptions)
		assert.Equal(t, s.Server().Can(dialect.Of), strings.Contains(err.Error(), "Of("), err)
	})
}

// MariaDB reads a row that it finds by its key while it plans.
func TestL01_ExplainLocksNothing(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		q := s.row(1).SelectForUpdate(orm.NoWait)
		explain := func(ctx context.Context) error {
			plan, err := q.Explain(ctx)
			assert.NotEmpty(t, plan)
			return err
		}
		require.NoError(t, atomic.Do(t.Context(), s, func(ctx context.Context) error {
			err := explain(ctx)
			if s.Engine != testdb.SQLite { // where the block has begun
				assert.False(t, s.isLocked("audio", 1))
			}
			return err
		}))
		require.NoError(t, atomic.Do(t.Context(), s, explain, atomic.ReadOnly()))
		s.rival(holdAudio(1))
		require.NoError(t, explain(t.Context()))
	})
}
