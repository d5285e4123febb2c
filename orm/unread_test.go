package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Doubled has a column that the server fills in, and that its field cannot always hold.
type Doubled struct {
	bun.BaseModel `bun:"table:doubled"`
	models.AutoID
	Number int64 `bun:",unique"`
	Half   *int64
	Twice  int64 `bun:",scanonly,type:bigint GENERATED ALWAYS AS (half * 2) STORED"`
}

// One statement outside any block is committed before its answer is read. Who is told that it
// could not be read is told that too, wherever an engine takes one.
func TestS09_WhatIsWrittenAndCannotBeRead(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Doubled)(nil)))
		all, half := orm.Objects[Doubled](db), int64(5)
		var row *Doubled
		for name, run := range map[string]func(ctx context.Context) error{
			"Create":     func(ctx context.Context) error { return all.Create(ctx, row) },
			"BulkCreate": func(ctx context.Context) error { return all.BulkCreate(ctx, []*Doubled{row, {Number: 8}}) },
			"an upsert": func(ctx context.Context) error {
				return all.BulkCreate(ctx, []*Doubled{row}, query.OnConflict("number").Update())
			},
			"GetOrCreate":    func(ctx context.Context) error { _, err := all.GetOrCreate(ctx, row, "number"); return err },
			"UpdateOrCreate": func(ctx context.Context) error { _, err := all.UpdateOrCreate(ctx, row, "number"); return err },
			"UpdateReturning": func(ctx context.Context) error {
				_, err := all.UpdateReturning(ctx, query.Set("half", nil))
				return err
			},
		} {
			for _, inside := range []bool{false, true} {
				_, err := all.Delete(ctx)
				require.NoError(t, err)
				require.NoError(t, all.Create(ctx, &Doubled{Number: 1, Half: &half}))
				row = &Doubled{Number: 7}
				if inside {
					err = atomic.Do(ctx, db, run)
				} else {
					err = run(ctx)
				}
				var unread *orm.ScanError
				require.ErrorAs(t, err, &unread, name)
				n, err := all.Filter(F("half").IsNull()).Count(ctx)
				require.NoError(t, err)
				require.Equal(t, n > 0, unread.Written, "%s, inside %t: %d rows", name, inside, n)
				if name == "Create" {
					require.Equal(t, unread.Written, row.ID != 0, "the key of a row that is there")
				}
				if inside || db.Server().Engine == dialect.MySQL {
					require.Zero(t, n, name)
				}
			}
		}
		_, err := db.Exec(ctx, "INSERT INTO doubled (number) VALUES (7)")
		require.NoError(t, err)
		before, err := all.Count(ctx)
		require.NoError(t, err)
		_, err = all.DeleteReturning(ctx)
		var unread *orm.ScanError
		require.ErrorAs(t, err, &unread)
		left, err := all.Count(ctx)
		require.NoError(t, err)
		require.Equal(t, left < before, unread.Written)
		require.ErrorContains(t, &orm.ScanError{Written: true}, "committed")
	})
}
