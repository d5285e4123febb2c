package orm_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Rung is a row with all that a statement which returns rows leaves to the library to be ordered.
type Rung struct {
	bun.BaseModel `bun:"table:rung"`
	models.AutoID
	State  string `bun:"type:varchar(20)"`
	Base   int64
	Level  *int64
	Weight *float64
	Ratio  sql.NullFloat64
	At     *time.Time
	Day    models.Date
	Done   *bool
	Always int64     `bun:",notnull,nullzero"`
	Maybe  int64     `bun:",nullzero"`
	Seen   time.Time `bun:",nullzero"`
	Twice  int64     `bun:",scanonly,type:bigint GENERATED ALWAYS AS (base * 2) STORED"`
}

func rungs(ctx context.Context, t *testing.T, db *orm.DB) orm.QuerySet[Rung] {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*Rung)(nil)))
	all := orm.Objects[Rung](db)
	var rows []*Rung
	for i, n := range []int64{3, -5, 0, 1, 0, -2} {
		at, weight, done := start.AddDate(0, 0, int(n)), float64(n), n > 0
		row := &Rung{State: "ready", Base: n, Level: &n, Weight: &weight, Ratio: sql.NullFloat64{Float64: weight, Valid: true}, At: &at,
			Day: models.DateOf(at), Done: &done, Always: n, Maybe: n, Seen: at}
		if i%3 == 1 {
			row.Level, row.Weight, row.Ratio, row.At, row.Day, row.Done, row.Seen = nil, nil, sql.NullFloat64{}, nil, models.Date{}, nil, time.Time{}
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		if row.Always == 0 { // the server's default is none: what stands there was written by another
			row.Always = 77
		}
	}
	require.NoError(t, all.BulkCreate(ctx, rows))
	_, err := all.Filter(F("always").Eq(77)).Update(ctx, query.Set("always", 0))
	require.NoError(t, err)
	_, err = all.Filter(F("id").Eq(rows[4].ID)).Update(ctx, query.Set("maybe", 0))
	require.NoError(t, err)
	if db.Server().Engine == dialect.Postgres {
		_, err = db.Exec(ctx, "UPDATE rung SET weight = 'NaN', ratio = 'NaN' WHERE id = ?", rows[3].ID)
		require.NoError(t, err)
		_, err = db.Exec(ctx, "UPDATE rung SET weight = 'Infinity', ratio = '-Infinity' WHERE id = ?", rows[0].ID)
		require.NoError(t, err)
	}
	return all
}

// The order is that of All, which the server makes, wherever NULL is told to stand.
func TestS42_RowsComeInTheOrderOfTheQuery(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := rungs(ctx, t, db)
		keys := func(rows []*Rung, err error) (list []int64) {
			t.Helper()
			require.NoError(t, err)
			for _, row := range rows {
				list = append(list, row.ID)
			}
			return list
		}
		for _, name := range []string{"level", "weight", "ratio", "at", "day", "done", "always", "maybe", "seen", "twice"} {
			f := F(name)
			for order, by := range map[string]query.Order{
				"up": f.Asc(), "down": f.Desc(), "up, NULL first": f.Asc().NullsFirst(), "up, NULL last": f.Asc().NullsLast(),
				"down, NULL first": f.Desc().NullsFirst(), "down, NULL last": f.Desc().NullsLast(),
			} {
				for _, limit := range []int{0, 4} {
					q := all.OrderByExpr(by, F("id").Asc())
					if limit > 0 {
						q = q.Limit(limit)
					}
					of := fmt.Sprintf("%s %s, limit %d", name, order, limit)
					want := keys(q.All(ctx))
					require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
						require.Equal(t, want, keys(q.UpdateReturning(ctx, query.Set("state", "taken"), query.Set("base", F("base").Mul(-1)))), "updated by %s", of)
						return atomic.Rollback
					}))
					require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
						require.Equal(t, want, keys(q.DeleteReturning(ctx)), "deleted by %s", of)
						return atomic.Rollback
					}))
				}
			}
		}
	})
}
