package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Tick has columns of several precisions.
type Tick struct {
	models.AutoID
	Second time.Time `bun:"type:timestamp(0)"`
	Milli  time.Time `bun:"type:timestamp(3)"`
	Fine   time.Time
}

// A computed time is kept as it is, or refused as a bound one would be: MySQL rounds
// it, and MariaDB cuts it off.
func TestS20_ComputedTimesAreNotRounded(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Tick)(nil)))
		at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		ticks := orm.Objects[Tick](db)
		require.NoError(t, ticks.Create(ctx, &Tick{Second: at, Milli: at.Add(600 * time.Millisecond), Fine: at.Add(600700 * time.Microsecond)}))
		second, milli, fine := F("second"), F("milli"), F("fine")
		for i, set := range []query.Assignment{
			query.Set("second", fine), query.Set("second", milli), query.Set("milli", fine), query.Set("second", second.Add(500*time.Millisecond)),
			query.Set("milli", milli.Sub(time.Microsecond)), query.Set("second", query.Now()), query.Set("second", query.Coalesce(second, fine)),
			query.Set("milli", query.Shift(fine, 1, query.Months)), query.Set("second", query.Greatest(second, fine)),
		} {
			var ve *query.ValueError
			_, err := ticks.Update(ctx, set)
			require.ErrorAs(t, err, &ve, i)
		}
		_, err := ticks.Update(ctx, query.Set("second", query.Truncate(fine, query.Seconds)), query.Set("milli", milli.Add(5*time.Millisecond)))
		require.NoError(t, err)
		_, err = ticks.Update(ctx, query.Set("fine", second.Add(time.Microsecond)))
		require.NoError(t, err)
		got, err := ticks.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, at, got.Second.UTC())
		require.Equal(t, at.Add(605*time.Millisecond), got.Milli.UTC())
		_, err = ticks.Update(ctx, query.Set("second", query.Truncate(query.Now(), query.Seconds)), query.Set("milli", query.Shift(second, -1, query.Days)))
		require.NoError(t, err)
	})
}
