package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Stamped struct {
	bun.BaseModel `bun:"table:stamped"`
	models.AutoID
	CreatedAt time.Time   `bun:",nullzero,notnull,default:current_timestamp"`
	SeenAt    *time.Time  `bun:",default:now()"`
	Coarse    time.Time   `bun:"type:timestamp(0),nullzero,notnull,default:CURRENT_TIMESTAMP(0)"`
	Day       models.Date `bun:",nullzero,notnull,default:current_date"`
	Today     time.Time   `bun:"type:date,nullzero,notnull,default:now()"`
	Clock     string      `bun:"type:time,nullzero,notnull,default:current_time"`
	Since     time.Time   `bun:",nullzero,notnull,default:'2020-01-02 03:04:05'"`
	Midnight  time.Time   `bun:",nullzero,notnull,default:CURRENT_DATE"`
}

// A time that the server has made is one like those that are bound: its row is found by it, has
// its place in an order and on a page, and is saved as it is.
func TestS23_ATimeThatTheServerMakes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Stamped)(nil)))
		require.NoError(t, orm.Check(ctx, db, (*Stamped)(nil)))
		all := orm.Objects[Stamped](db)
		first, last := &Stamped{CreatedAt: time.Now().Add(-time.Minute)}, &Stamped{CreatedAt: time.Now().Add(time.Minute)}
		require.NoError(t, all.Create(ctx, last))
		rows := []*Stamped{{}, {}, {}}
		require.NoError(t, all.Create(ctx, rows[0]))
		require.NoError(t, all.BulkCreate(ctx, rows[1:]))
		require.NoError(t, all.Create(ctx, first))

		for _, row := range rows {
			require.WithinDuration(t, time.Now(), row.CreatedAt, 30*time.Second)
			require.WithinDuration(t, time.Now(), row.Coarse, 30*time.Second)
			require.Equal(t, time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), row.Since)
			for name, value := range map[string]any{
				"created_at": row.CreatedAt, "seen_at": row.SeenAt, "coarse": row.Coarse, "day": row.Day, "today": row.Today,
				"clock": row.Clock, "since": row.Since, "midnight": row.Midnight,
			} {
				got, err := all.Filter(F("id").Eq(row.ID), F(name).Eq(value), F(name).Between(value, value)).Get(ctx)
				require.NoError(t, err, name)
				require.Equal(t, row, got, name)
			}
			require.NoError(t, all.Save(ctx, row))
		}
		seen := map[int64]bool{}
		var at *Stamped
		for range 10 {
			page, err := all.OrderBy("created_at").After(at).Limit(2).All(ctx)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			for _, row := range page {
				require.False(t, seen[row.ID], "a row is there twice")
				seen[row.ID] = true
			}
			at = page[len(page)-1]
		}
		require.Len(t, seen, 5)
		require.Equal(t, last.ID, at.ID)
		n, err := all.Filter(F("created_at").Lt(last.CreatedAt), F("created_at").Gt(first.CreatedAt)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		_, err = all.Update(ctx, query.Set("seen_at", nil))
		require.NoError(t, err)
	})
}

type Defaulted struct {
	bun.BaseModel `bun:"table:defaulted"`
	models.AutoID
	At     time.Time `bun:",nullzero,default:current_timestamp"`
	Moment time.Time `bun:",nullzero,default:current_timestamp"`
	Exact  time.Time `bun:",nullzero,default:current_timestamp"`
	Fixed  time.Time `bun:",nullzero,default:current_timestamp"`
	Day    time.Time `bun:"type:date,nullzero,default:current_timestamp"`
	Other  time.Time `bun:"type:date,nullzero,default:current_date"`
}

// A table that a migration has made on SQLite.
func TestS26_CheckFindsDefaultsThatAreNoTimes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine != dialect.SQLite {
			require.NoError(t, orm.CreateTables(ctx, db, (*Defaulted)(nil)))
			require.NoError(t, orm.Check(ctx, db, (*Defaulted)(nil)))
			return
		}
		_, err := db.Exec(ctx, `CREATE TABLE defaulted (id INTEGER PRIMARY KEY, at DATETIME DEFAULT CURRENT_TIMESTAMP, moment DATETIME DEFAULT (datetime('now')),
			exact DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')), fixed DATETIME DEFAULT '2020-01-01', day DATE DEFAULT CURRENT_TIMESTAMP, other DATE DEFAULT CURRENT_DATE)`)
		require.NoError(t, err)
		var differs *orm.CheckError
		require.ErrorAs(t, orm.Check(ctx, db, (*Defaulted)(nil)), &differs)
		var found []string
		for _, d := range differs.Differences {
			require.Equal(t, orm.OtherDefault, d.Kind)
			found = append(found, d.Column)
		}
		require.Equal(t, []string{"at", "moment", "fixed", "day"}, found)
		require.ErrorContains(t, differs, "the table CURRENT_TIMESTAMP")
	})
}
