package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// A statement that writes goes by the conditions alone: what else a query makes of its
// rows would be passed over, and rows changed that it leaves out.
func TestS42_WhatAQueryMakesOfItsRowsIsNotChanged(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ledger(ctx, t, db)
		hotel(ctx, t, db)
		audio, halls := orm.Objects[Audio](db), orm.Objects[Hall](db)
		nobody := query.Select(orm.Objects[Project](db).Filter(F("name").Eq("nobody")), F("id"))
		joined := audio.Join("p", nobody, F("project_id").Eq(F("p.id")))
		for name, q := range map[string]orm.QuerySet[Audio]{
			"Join": joined, "Join and Limit": joined.OrderBy("id").Limit(3), "LeftJoin": audio.LeftJoin("p", nobody, F("project_id").Eq(F("p.id"))),
			"GroupBy": audio.GroupBy("user_id"), "Having": audio.Having(query.Count().Gt(100)),
			"GroupBy and Having": audio.GroupBy("user_id").Having(query.Count().Gt(3)), "Distinct": audio.Distinct(),
		} {
			_, err := q.UpdateReturning(ctx, query.Set("speed", 9))
			require.ErrorContains(t, err, "cannot be changed: filter by a sub-select", name)
			_, err = q.DeleteReturning(ctx)
			require.ErrorContains(t, err, "cannot be changed: filter by a sub-select", name)
			_, err = q.Update(ctx, query.Set("speed", 9))
			require.ErrorContains(t, err, "cannot be changed", name)
			_, err = q.Delete(ctx)
			require.ErrorContains(t, err, "cannot be changed", name)
			_, err = q.ForceDelete(ctx)
			require.ErrorContains(t, err, "cannot be changed", name)
			row, err := audio.First(ctx)
			require.NoError(t, err)
			for _, err := range []error{q.Save(ctx, row), q.DeleteRow(ctx, row), q.ForceDeleteRow(ctx, row), q.BulkSave(ctx, []*Audio{row}), q.Create(ctx, &Audio{})} {
				require.ErrorContains(t, err, "with a query that selects some", name)
			}
		}
		many := halls.Annotate("open", query.CountOf("stays")).Filter(F("open").Gt(2))
		_, err := many.UpdateReturning(ctx, query.Set("size", 9))
		require.ErrorContains(t, err, "Annotate cannot be changed")
		_, err = many.DeleteReturning(ctx)
		require.ErrorContains(t, err, "Annotate cannot be changed")
		_, err = halls.Prefetch("stays").UpdateReturning(ctx, query.Set("size", 9))
		require.ErrorContains(t, err, "Prefetch cannot be changed")
		for name, send := range map[string]func() error{
			"UpdateReturning": func() error {
				_, err := halls.OnReplica().UpdateReturning(ctx, query.Set("size", 9))
				return err
			},
			"DeleteReturning": func() error { _, err := halls.OnReplica().DeleteReturning(ctx); return err },
		} {
			require.ErrorContains(t, send(), "nothing is written or locked on a replica", name)
		}
		n, err := audio.Filter(F("speed").Ne(9)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 7, n)
		n, err = halls.Filter(F("size").Ne(9)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}
