package orm_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Elements has arrays whose elements the server would round, cut off or fill up.
type Elements struct {
	ID     int64             `bun:",pk,autoincrement"`
	Prices []string          `bun:"type:numeric(10,2)[]"`
	Sums   []float64         `bun:"type:numeric(10,2)[]"`
	Reals  []float64         `bun:"type:real[]"`
	Floats []float64         `bun:",array"`
	Days   []time.Time       `bun:"type:date[]"`
	Dates  []string          `bun:"type:date[]"`
	Whole  []time.Time       `bun:"type:timestamptz(0)[]"`
	Walls  []*time.Time      `bun:"type:timestamp[]"`
	Clocks []string          `bun:"type:time[]"`
	Short  []*string         `bun:"type:varchar(3)[]"`
	Filled [2]string         `bun:"type:char(5)[]"`
	Levels []elementLevel    `bun:"type:smallint[]"`
	Papers []json.RawMessage `bun:"type:jsonb[]"`
	Bytes  [][]byte          `bun:"type:text[]"`
	Maybe  *[]string         `bun:"type:varchar(3)[]"`
}

type elementLevel int

func elements() *Elements {
	short, at := "ab ", start.In(time.FixedZone("", 2*3600))
	return &Elements{
		Prices: []string{"1.50", "-0.01"}, Sums: []float64{0.25}, Reals: []float64{16777216, 0.5}, Floats: []float64{0.30000000000000004, math.Inf(1)},
		Days: []time.Time{start.Truncate(24 * time.Hour)}, Dates: []string{"2026-01-02"}, Whole: []time.Time{start}, Walls: []*time.Time{&at, nil},
		Clocks: []string{"15:04:05.5"}, Short: []*string{&short, nil}, Filled: [2]string{"ab", ""}, Levels: []elementLevel{3, -1},
		Papers: []json.RawMessage{json.RawMessage(`{"a": 1}`)}, Bytes: [][]byte{[]byte(`\x41`)}, Maybe: &[]string{"abc"},
	}
}

// What the elements of an array are is looked at as a column's own value is, and read as it is.
func TestS20_ElementsOfArrays(t *testing.T) {
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx, db := t.Context(), open(t, at)
		require.NoError(t, orm.CreateTables(ctx, db, (*Elements)(nil)))
		require.NoError(t, orm.Check(ctx, db, (*Elements)(nil)))
		all := orm.Objects[Elements](db)
		row := elements()
		require.NoError(t, all.Create(ctx, row))
		got, err := all.Find(ctx, row.ID)
		require.NoError(t, err)
		require.Equal(t, start, *got.Walls[0], "the instant, in UTC")
		row.Walls[0] = &start
		require.Equal(t, row, got)
		require.NoError(t, all.Save(ctx, got))
		for name, v := range map[string]any{
			"prices": row.Prices, "sums": row.Sums, "reals": row.Reals, "floats": row.Floats, "days": row.Days, "dates": row.Dates, "whole": row.Whole,
			"walls": row.Walls, "clocks": row.Clocks, "short": row.Short, "filled": row.Filled, "levels": row.Levels, "bytes": row.Bytes, "maybe": row.Maybe,
		} {
			n, err := all.Filter(F(name).Eq(v)).Count(ctx)
			require.NoError(t, err, name)
			require.EqualValues(t, 1, n, name)
			n, err = all.Filter(F(name).Ne(v)).Count(ctx)
			require.NoError(t, err, name)
			require.Zero(t, n, name)
			_, err = all.Update(ctx, query.Set(name, v))
			require.NoError(t, err, name)
		}
		require.NoError(t, all.Refresh(ctx, got))
		require.Equal(t, row, got)

		text := func(s string) *string { return &s }
		nano := start.Add(time.Nanosecond)
		fine := elements()
		fine.Walls = []*time.Time{&nano}
		require.NoError(t, all.Create(ctx, fine))
		require.NoError(t, all.Refresh(ctx, fine))
		require.Equal(t, []*time.Time{&start}, fine.Walls, "to the microsecond, as elsewhere")
		for name, spoil := range map[string]func(*Elements) any{
			"prices": func(r *Elements) any { r.Prices = []string{"1", "1.005"}; return r.Prices },
			"sums":   func(r *Elements) any { r.Sums = []float64{1.005}; return r.Sums },
			"reals":  func(r *Elements) any { r.Reals = []float64{16777217}; return r.Reals },
			"floats": func(r *Elements) any { r.Floats = []float64{math.NaN()}; return r.Floats },
			"days":   func(r *Elements) any { r.Days = []time.Time{start}; return r.Days },
			"dates":  func(r *Elements) any { r.Dates = []string{"2026-1-2"}; return r.Dates },
			"whole":  func(r *Elements) any { r.Whole = []time.Time{start.Add(600 * time.Millisecond)}; return r.Whole },
			"clocks": func(r *Elements) any { r.Clocks = []string{"25:00:00"}; return r.Clocks },
			"short":  func(r *Elements) any { r.Short = []*string{nil, text("ab   ")}; return r.Short },
			"filled": func(r *Elements) any { r.Filled[1] = "ab "; return r.Filled },
			"levels": func(r *Elements) any { r.Levels = []elementLevel{40000}; return r.Levels },
			"papers": func(r *Elements) any { r.Papers = []json.RawMessage{json.RawMessage(`{`)}; return r.Papers },
			"bytes":  func(r *Elements) any { r.Bytes = [][]byte{{0xff}}; return r.Bytes },
			"maybe":  func(r *Elements) any { r.Maybe = &[]string{"abcd"}; return r.Maybe },
		} {
			bad := elements()
			v := spoil(bad)
			for call, err := range map[string]error{
				"Create": all.Create(ctx, bad), "BulkCreate": all.BulkCreate(ctx, []*Elements{bad}),
				"Update": second(all.Update(ctx, query.Set(name, v))),
			} {
				var refused *query.ValueError
				require.ErrorAs(t, err, &refused, "%s: %s", name, call)
				require.Equal(t, "Elements."+name, refused.Field, call)
			}
		}

		_, err = db.Exec(ctx, "ALTER TABLE elements ALTER prices TYPE numeric(10,1)[], ALTER floats TYPE real[]")
		require.NoError(t, err)
		var differs *orm.CheckError
		require.ErrorAs(t, orm.Check(ctx, db, (*Elements)(nil)), &differs)
		require.Len(t, differs.Differences, 2)
		for _, d := range differs.Differences {
			require.Contains(t, []string{"prices", "floats"}, d.Column)
			require.Equal(t, orm.TooNarrow, d.Kind)
		}
	}, testserver.Postgres)
}

func second[T any](_ T, err error) error { return err }
